import socket

from scripts.processes import bound


def test_no_part_of_an_answer_waits_for_an_acknowledgement():
    with bound("127.0.0.1", 0) as address:
        address.listen()
        with socket.create_connection(address.getsockname()):
            accepted, _ = address.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
