"""A RunPod on this machine: REST v2, GraphQL, and pods that are real containers."""
