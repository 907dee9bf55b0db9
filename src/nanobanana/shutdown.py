"""What the end of a process takes, part by part, once the grace period of SIGTERM is over: whoever would kill it waits for
the sum of the parts, so that what was not finished is handed over before."""

# Work that is cancelled: a picture that is just being stored is stored first, so that whoever goes on finds it.
CANCEL_S = 3
# The rows of that work go back to the queue; endpoints of webhooks and probes that were given up are free for others.
HAND_OVER_S = 2
# What is being answered at that moment.
LAST_ANSWERS_S = 2
# A job of the timetable that is at work.
LAST_RUN_S = 1
# Connections.
CLOSE_S = 2

AFTER_GRACE_S = CANCEL_S + HAND_OVER_S + LAST_ANSWERS_S + LAST_RUN_S + CLOSE_S
