"""Sound in and out of files: WAV in NumPy alone, other formats through optional libraries, and rate conversion.

Nothing is imported here, so that a user of one file pays for that file only.
"""
