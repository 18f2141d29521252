"""The limit on the pictures in memory at once."""

import threading

from shared.polling.memory import Memory
from tests.support.waiting import until


def test_room_is_given_in_order_and_never_beyond_the_limit() -> None:
    memory, order = Memory(100), list[str]()
    large_may_end, small_may_end = threading.Event(), threading.Event()

    def hold(name: str, pixels: int, go_on: threading.Event) -> None:
        with memory.room(pixels):
            order.append(name)
            assert go_on.wait(30)

    first = threading.Thread(target=hold, args=("first", 60, large_may_end))
    first.start()
    until(lambda: order == ["first"], "the first has room")
    large = threading.Thread(target=hold, args=("larger than all there is", 1000, small_may_end))
    large.start()
    until(memory._turn.locked, "it waits for its turn")
    small = threading.Thread(target=hold, args=("small", 10, small_may_end))
    small.start()
    assert order == ["first"], "the small one waits behind the large one, although there is room for it"
    large_may_end.set()
    until(lambda: len(order) == 2, "the second")
    small_may_end.set()
    for thread in (first, large, small):
        thread.join(30)
    assert order == ["first", "larger than all there is", "small"]


def test_room_is_given_back_after_an_error() -> None:
    memory = Memory(10)
    for _ in range(3):
        try:
            with memory.room(10):
                raise ValueError
        except ValueError:
            pass
    with memory.room(10):
        assert memory._free == 0
    assert memory._free == 10
