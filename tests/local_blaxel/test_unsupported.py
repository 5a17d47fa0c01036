import pytest

from local_blaxel.unsupported import REASONS


@pytest.mark.parametrize("what", REASONS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_needs_the_cloud_says_so_in_the_right_shape(server, what, method):
    answers = [server.http.request(method, f"/v0/{what}{rest}") for rest in ("", "/some/thing")]

    for_each = [(answer.status_code, answer.json()["error"]) for answer in answers]
    assert for_each == [(501, "NOT_SUPPORTED")] * 2
    assert {answer.json()["code"] for answer in answers} == {501}
    assert {answer.json()["message"] for answer in answers} == {REASONS[what]}
