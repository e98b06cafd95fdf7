"""Live conversion: microphone to speaker, camera to screen.

Whatever decides something is a plain object without threads or clocks of its own, so that tests can drive it in
simulated time: the ring, the playout buffer, the drift control, the governor, the voice's path. The sessions put them
on threads: one captures, one converts, one plays, and the main thread watches.
"""
