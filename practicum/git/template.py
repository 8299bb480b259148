"""The files of a university's GitOps repository, as `practicum init` makes it."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

# Path in the repository → file in templates/, where names carry no dot so that git and editors leave them alone.
_TEMPLATES = {
    ".gitattributes": "gitattributes",
    ".gitignore": "gitignore",
    ".gitlab-ci.yml": "gitlab-ci.yml",
    ".gitlab/issue_templates/New lab.md": "new-lab-issue.md",
    ".gitlab/merge_request_templates/Default.md": "merge-request.md",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".vscode/extensions.json": "vscode-extensions.json",
    ".vscode/settings.json": "vscode-settings.json",
    "Jenkinsfile": "Jenkinsfile",
    "README.md": "README.md",
    "labs/.gitkeep": "gitkeep",
}
_TOOL = ("generator/", "practicum/", "jenkins/")
_NO_SCHEMAS: Mapping[str, bytes] = MappingProxyType({})


def repository_files(
    name: str, platform_files: Mapping[str, bytes], schemas: Mapping[str, bytes] = _NO_SCHEMAS
) -> dict[str, bytes]:
    """Return the first content of a GitOps repository by path.

    `name` is the title of its README, `platform_files` are taken over by their paths
    (`environments/dev/platform.yaml`), `schemas` by their file names (`lab.schema.json`) into `schemas/`.
    Raises ValueError for a path of the tool: who may push here must not be able to change the tool.
    """
    content = {path: _template(file).replace(b"{{ name }}", name.encode()) for path, file in _TEMPLATES.items()}
    content |= platform_files
    content |= {f"schemas/{file}": data for file, data in schemas.items()}
    for path in content:
        if path.startswith(_TOOL):
            raise ValueError(f"{path} belongs to the tool")
    return dict(sorted(content.items()))


def gitlab_files(url: str, path: str) -> dict[str, bytes]:
    """Return the files that speak of a GitLab project, by path: code owners, and the page for a new lab."""
    owners = f"@{path.split('/')[0]}".encode()
    return {
        ".gitlab/CODEOWNERS": _template("codeowners").replace(b"{{ owners }}", owners),
        "labs/README.md": _template("labs-README.md").replace(b"{{ project }}", url.encode()),
    }


def _template(file: str) -> bytes:
    return (files("practicum.git") / "templates" / file).read_bytes()
