"""Codes of errors about a file or a folder in a sandbox."""

from manta.core.error_codes.code import ErrorCode

CODES = (
    ErrorCode(
        "file_not_found",
        "File or folder not found",
        "It was moved or deleted, the path is misspelled, or one of its parent folders does "
        "not exist.",
        "Check the path in the folder's listing.",
    ),
    ErrorCode(
        "folder_not_found",
        "The target folder does not exist",
        "A file or folder was to be moved or restored to a folder that no longer exists.",
        "Create the folder first, or use another path. Restoring can create it again: "
        "`makeFolders`.",
    ),
    ErrorCode(
        "file_exists",
        "A file or folder of that name already exists",
        "There is already a file or folder at this path, and it would have been overwritten.",
        "Use another name, or choose to overwrite the file. Folders are never overwritten.",
    ),
    ErrorCode(
        "changed_on_disk",
        "The file has changed on disk",
        "The file was changed or deleted after it was read.",
        "Read it again and merge the changes, or save with the new version.",
    ),
    ErrorCode(
        "not_a_file",
        "Not a file",
        "The path leads to a folder, a device or a pipe, but a file is needed.",
        "Use the path of a file.",
    ),
    ErrorCode(
        "not_a_folder",
        "Not a folder",
        "The path, or a part of it, leads to a file, but a folder is needed.",
        "Use the path of a folder.",
    ),
    ErrorCode(
        "bad_path",
        "This path can't be used",
        "A name in it is too long, its links form a loop, or it is a folder that the sandbox "
        "itself needs.",
        "Use another path.",
    ),
    ErrorCode(
        "file_denied",
        "Permission denied in the sandbox",
        "The sandbox's user may not read or change this path, the file system is read-only, "
        "or the system refuses it for the reason that the error names.",
        "Change the file's permissions in a terminal, or use a path below /blaxel.",
    ),
    ErrorCode(
        "file_too_large",
        "The file is too large for this",
        "Texts of up to 5 MB can be read and saved here.",
        "Upload or download the file instead: that works for any size.",
    ),
    ErrorCode(
        "disk_full",
        "The sandbox's disk is full",
        "There is not enough space for what was to be written.",
        "Delete something permanently, in the file tree or in a terminal, and try again.",
    ),
    ErrorCode(
        "too_many_transfers",
        "Too many transfers at once",
        "The uploads, downloads and archives of one user share a few places, and all of them "
        "are in use.",
        "Wait until one of them has finished, and try again.",
    ),
)
