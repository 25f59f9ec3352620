"""What runs inside the container: it finds the device, trains, and never loses a step."""
