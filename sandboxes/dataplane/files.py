"""Files in a sandbox."""

from sandboxes.dataplane.client import expect_success, request


def file_exists(url: str, path: str) -> bool:
    """Whether there is something at an absolute path."""
    response = request("GET", f"{url}/filesystem/{path}")
    if response.status_code != 404:
        expect_success(response, "read a file")
    return response.status_code != 404


def read_file(url: str, path: str) -> str:
    """The text of the file at an absolute path."""
    response = request("GET", f"{url}/filesystem/{path}")
    expect_success(response, "read a file")
    return str(response.json().get("content"))


def write_file(url: str, path: str, text: str) -> None:
    response = request("PUT", f"{url}/filesystem/{path}", json={"content": text})
    expect_success(response, "write a file")


def delete_file(url: str, path: str) -> None:
    """Nothing happens when there is none."""
    response = request("DELETE", f"{url}/filesystem/{path}")
    if response.status_code != 404:
        expect_success(response, "delete a file")


def write_tree(url: str, folder: str, files: dict[str, str]) -> None:
    """Write text files, given by their paths below an absolute folder."""
    response = request("PUT", f"{url}/filesystem/tree{folder}", json={"files": files})
    expect_success(response, "write files")
