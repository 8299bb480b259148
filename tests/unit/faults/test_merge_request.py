"""The whole way with a GitLab project: the pipeline waits for the merge of a person, and then goes on from there."""

import git_over_http
from gitlab_server import FakeGitLab
from laboratory import LAB

PLATFORM = "environments/prod/platform.yaml"


def has_class(laboratory):
    return any("/prod/" in str(one["config"]) for one in laboratory.lxd.world.projects.values())


def test_the_pipeline_ends_at_the_merge_request_and_delivers_after_its_merge(laboratory):
    laboratory.back("proved")
    with FakeGitLab().running() as fake:
        git_over_http.take_over(fake, laboratory.folder / "site" / "labs.git")
        platform = (laboratory.root / PLATFORM).read_text() + f"git: {{project: {fake.url}}}\n"
        laboratory.repository.commit({PLATFORM: platform.encode()}, "Name the project")
        laboratory.repository.publish()

        waiting = laboratory.done("pipeline", LAB)
        assert f"{fake.url}/-/merge_requests/1" in waiting.words
        assert f"practicum deliver {LAB}" in waiting.words
        assert "prod" not in str(
            [one["config"].get("user.practicum") for one in laboratory.lxd.world.projects.values()]
        )

        git_over_http.merge_in(fake, f"promote/{LAB}")
        laboratory.done("pipeline", LAB)
        assert has_class(laboratory)
        assert len(fake.requests) == 1
        assert f"promote/{LAB}" not in fake.branches
