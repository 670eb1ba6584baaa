"""Words and colours that panels of several rows share."""

from panels import BLUE, GREEN, GREY, ORANGE, PURPLE, RED

#: Narrows a query to the lanes that were chosen at the top of the page.
LANE = 'lane=~"$lane"'

#: As the recording rule `lane:antrian_state:code` numbers them.
STATES = {
    1: ("standby only", ORANGE),
    2: ("no broker", RED),
    3: ("waits for messages", BLUE),
    4: ("pause", GREEN),
    5: ("sending", "dark-green"),
    6: ("provider: hold", ORANGE),
    7: ("paused by an admin", PURPLE),
}
#: A reason not to send.
OFF_ON = {0: ("no", GREY), 1: ("yes", RED)}
PRIORITIES = {"urgent": RED, "high": ORANGE, "normal": BLUE, "low": GREY, "other": PURPLE}
