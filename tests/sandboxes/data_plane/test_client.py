import httpx
import pytest

from sandboxes import errors
from sandboxes.data_plane.client import refuse_failures


@pytest.mark.parametrize("code", ["WORKLOAD_UNAVAILABLE", "WORKLOAD_NOT_FOUND"])
def test_what_the_gateway_does_not_find_is_not_told_as_gone(code):
    answer = httpx.Response(404, json={"error": {"code": code}})

    with pytest.raises(errors.ProviderUnavailable):
        refuse_failures(answer)


def test_what_is_not_there_is_left_to_the_caller():
    refuse_failures(httpx.Response(404, json={"error": "stat /x: no such file or directory"}))
    refuse_failures(httpx.Response(404, text="not found"))
