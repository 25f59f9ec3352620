"""The job as a value: its types, its defaults, and how a user's file becomes one."""
