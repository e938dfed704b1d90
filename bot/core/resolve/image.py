"""Which build runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.model.values import Value
from bot.core.resolve.scene import Scene

_MOVING = frozenset({"latest", "stable", "main", "master", "edge", "nightly"})


@dataclass(frozen=True, slots=True)
class Image:
    """The parts of an image name."""

    ref: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def fixed(self) -> bool:
        """It names a build, not only a repository."""
        return self.tag is not None or self.digest is not None

    @property
    def version(self) -> str:
        """What people call the build: the tag, else twelve digits of the digest."""
        return self.tag or (self.digest.removeprefix("sha256:")[:12] if self.digest else "")

    def value(self) -> Mapping[str, Value]:
        return {
            "ref": self.ref,
            "repository": self.repository,
            "tag": self.tag,
            "digest": self.digest,
            "version": self.version,
        }


def read_image(ref: str) -> Image:
    """The parts of `repository[:tag][@sha256:…]`, already checked for form. A colon before a slash is a port."""
    name, _, digest = ref.partition("@")
    head, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return Image(ref, f"{head}{slash}{base}", tag or None, digest or None)


def image_of(scene: Scene) -> tuple[Image, bool]:
    """The image that runs here, and whether releases.yaml gave it. One that is not `fixed` waits for its release."""
    written = read_image(str(scene.said["image"]))
    given = scene.release.get("image")
    if _moves(written):
        scene.refuse(
            ("image",), "CW0405", f"`{written.ref}` changes under you",
            "the same commit would run different code tomorrow, and a revert would not bring the old code back",
            "write a version, a digest, or only the repository and let releases.yaml decide",
        )  # fmt: skip
    if given is None:
        return written, False
    released = read_image(str(given))
    if written.fixed:
        scene.refuse_release(
            ("image",), "CW0406", f"the manifest says which build runs (`{written.ref}`), and so does this release",
            "two places that decide the same thing will disagree one day",
            f"write `image: {written.repository}` in platform.yaml, or drop the release",
        )  # fmt: skip
    elif released.repository != written.repository:
        scene.refuse_release(
            ("image",), "CW0406",
            f"the release is of `{released.repository}`, the service's image is `{written.repository}`",
            "a release picks a build of the service's own image, never another image",
            f"release a build of `{written.repository}`, or change `image` in platform.yaml",
        )  # fmt: skip
    if not released.fixed or _moves(released):
        scene.refuse_release(
            ("image",), "CW0405", f"`{released.ref}` names no build",
            "the same commit would run different code tomorrow", "write a digest (`repository@sha256:…`) or a version",
        )  # fmt: skip
    return released, True


def _moves(image: Image) -> bool:
    return image.digest is None and image.tag in _MOVING
