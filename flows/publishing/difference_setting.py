"""What was set otherwise for a whole export: methods, word lists, rule, versions; each in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flows.publishing.difference_sides import Side

TEXT_METHODS = ("ocr", "cleaning", "sections", "furniture", "segmenter")
JUDGING_METHODS = ("context", "context_rules", "classifier")
METHOD_WORDS = {
    "ocr": "OCR",
    "context": "context rules (program)",
    "context_rules": "context rules (file)",
    "tokens": "segmenter of the rule",
}
ARROW = "->"


@dataclass(frozen=True)
class Setting:
    """What two exports were set to.

    Parameters
    ----------
    before, after : Side
        The two exports.
    """

    before: Side
    after: Side

    @cached_property
    def software(self) -> str:
        """Versions that changed, in words; empty where none did."""
        return _changes(self.before.versions, self.after.versions)

    @cached_property
    def knows_reading(self) -> bool:
        """Whether both say by which methods their texts were made."""
        return bool(self.before.reading_methods and self.after.reading_methods)

    @cached_property
    def reading(self) -> str:
        """Methods behind the texts that changed, besides the reader, in words."""
        return self._reading(TEXT_METHODS)

    @cached_property
    def identity(self) -> str:
        """Whether the program that says whose report a file is changed, in words."""
        return self._reading(("identity",))

    @cached_property
    def kinds(self) -> str:
        """Whether other kinds of report may enter, in words."""
        return self._reading(("kinds",))

    @cached_property
    def same_texts(self) -> bool:
        """Whether all methods behind the texts are known to be the same."""
        return bool(self.before.texts_key) and self.before.texts_key == self.after.texts_key

    def _reading(self, names: tuple[str, ...]) -> str:
        if not self.knows_reading:
            return ""
        return _changes(self.before.reading_methods, self.after.reading_methods, names)

    @cached_property
    def rule(self) -> str:
        """Whether the rule changed, in words."""
        first, second = self.before.rule, self.after.rule
        return f"rule {first} {ARROW} {second}" if first != second else ""

    @cached_property
    def shared(self) -> list[str]:
        """Word lists that both exports have."""
        return [name for name in self.before.hashes if name in self.after.hashes]

    def dictionary(self, name: str) -> str:
        """Return whether a list changed, in words."""
        first, second = self.before.hashes[name], self.after.hashes[name]
        return f"dictionary {name} {first} {ARROW} {second}" if first != second else ""

    def knows_measuring(self, name: str) -> bool:
        """Tell whether both say by which methods a list's hits were made."""
        return bool(self.before.measuring_methods(name) and self.after.measuring_methods(name))

    def _measuring(self, name: str, methods: tuple[str, ...]) -> str:
        if not self.knows_measuring(name):
            return ""
        return _changes(self.before.measuring_methods(name), self.after.measuring_methods(name), methods)

    def script(self, name: str) -> str:
        """Return whether the script of a list's matching changed, in words."""
        return self._measuring(name, ("script",))

    def rule_or_script(self, name: str) -> str:
        """Return whether the rule or the script changed, in words."""
        return ", ".join(filter(None, (self.rule, self.script(name))))

    def judging(self, name: str) -> str:
        """Return whether the rules or the classifier that judge hits changed, in words."""
        return self._measuring(name, JUDGING_METHODS)

    def matching(self, name: str) -> str:
        """Return whether the program that finds hits changed, in words."""
        methods = ("matching",) if self.rule else ("matching", "tokens")
        return self._measuring(name, methods)


def _changes(before: dict[str, str], after: dict[str, str], names: tuple[str, ...] = ()) -> str:
    chosen = names or tuple(dict.fromkeys([*before, *after]))
    return ", ".join(
        f"{METHOD_WORDS.get(name, name)} {before.get(name, 'none')} {ARROW} {after.get(name, 'none')}"
        for name in chosen
        if before.get(name) != after.get(name)
    )
