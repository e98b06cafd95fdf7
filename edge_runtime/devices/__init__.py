"""What live conversion listens to, speaks through and looks at: one module for each library, one shape for all.

Every device blocks until its block is done, which is what gives a thread its pace, and raises `DeviceError` when it
cannot be opened or went away.
"""
