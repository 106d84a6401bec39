RARE = ()


def in_notify_mode(world): ...
