"""The contract when answers are not as documented: null, missing, new and changed fields, odd text, amounts."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from counterfoil.sources import Removed, Seen, SourceChange, SourceError, Unreadable
from counterfoil.testing.sources.proxy import FaultProxy
from counterfoil.testing.sources.reading import Key, expect, flat, last_of, pages_of, whole
from counterfoil.testing.sources.stage import Stage, Staged, fresh, skip
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

FIELDS_MAX = 40
"""So many fields of the records are changed, one by one."""

HUGE = "Ärger mit 🦊 " * 80_000
ODD = "\u202eright-to-left\u202c \u0000 e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467 \ufeff"
NEW_FIELD = "field_of_next_year"
_FRACTION = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")

Path_ = tuple[str, ...]
Mutate = Callable[[JsonValue], JsonValue]


class ShapesContract(Staged):
    """What a source owes when its data is not what its documents say."""

    async def test_a_null_field_concerns_one_record(self, tmp_path: Path) -> None:
        await self._one_field(tmp_path, lambda _value: None, "null")

    async def test_a_missing_field_concerns_one_record(self, tmp_path: Path) -> None:
        await self._one_field(tmp_path, None, "missing")

    async def test_a_field_of_another_type_concerns_one_record(self, tmp_path: Path) -> None:
        await self._one_field(tmp_path, lambda _value: {"unexpected": [1, None, {}]}, "an object")
        await self._one_field(fresh(tmp_path, "list"), lambda _value: [[], {}, 7], "a list")
        await self._one_field(fresh(tmp_path, "number"), lambda _value: Decimal("-1e30"), "a number beyond all bounds")

    async def test_a_field_removed_everywhere_removes_no_record(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            truth, fields = await self._fields(stage, proxy)
            for path in fields:
                proxy.change = lambda value, path=path: self._mutated(value, None, path, None)
                found = await self._tolerantly(stage, proxy, f"{'.'.join(path)} was removed from every record")
                lost = [key for key in truth if found is not None and key not in found]
                expect(not lost, f"without {'.'.join(path)} these are lost in silence: {lost[:3]}")

    async def test_a_new_field_changes_nothing(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            truth, _fields = await self._fields(stage, proxy)
            proxy.change = self._with_new_field
            async with stage.opened(proxy.url) as adapter:
                found = await whole(adapter)
            same = {key: record_of(change) for key, change in found.items()} == {
                key: record_of(change) for key, change in truth.items()
            }
            expect(same, "a field that is new at the source changes records")

    async def test_money_as_text_and_as_number_is_the_same_money(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            truth, _fields = await self._fields(stage, proxy)
            for change, form in ((_as_text, "text"), (_as_number, "numbers")):
                proxy.change = lambda value, change=change: leaves(value, change)
                async with stage.opened(proxy.url) as adapter:
                    found = await whole(adapter)
                for key, known in truth.items():
                    got = found.get(key)
                    expect(got is not None, f"{key[0]} {key[1]} is lost when amounts come as {form}")
                    expect(
                        record_of(known) == (record_of(got) if got is not None else ""),
                        f"{key[0]} {key[1]} differs when its amounts come as {form}",
                    )

    async def test_odd_text_harms_nobody_else(self, tmp_path: Path) -> None:
        await self._text(tmp_path, ODD, "odd text")

    async def test_huge_text_harms_nobody_else(self, tmp_path: Path) -> None:
        await self._text(tmp_path, HUGE, "a text of a megabyte")

    async def _text(self, folder: Path, text: str, what: str) -> None:
        async with self.proxied(folder) as (stage, proxy):
            if not stage.texts:
                skip("the stage offers no `texts`")
            truth, _fields = await self._fields(stage, proxy)
            proxy.change = lambda value: leaves(value, lambda leaf: text if leaf in stage.texts else leaf)
            found = await self._tolerantly(stage, proxy, f"{what} came")
            expect(found is not None, f"{what} in one record stops the reading of all")
            for key, known in truth.items():
                got = (found or {}).get(key)
                expect(got is not None, f"{key[0]} {key[1]} is lost because of {what}")
                shown = f"{dumps(record_of(known)).decode()} {known_raw(known)}"
                touched = any(dumps(one).decode()[1:-1] in shown for one in stage.texts)
                same = got is not None and record_of(got) == record_of(known)
                expect(touched or same, f"{key[0]} {key[1]} changes because another record bears {what}")

    async def _one_field(self, folder: Path, mutate: Mutate | None, what: str) -> None:
        """Change one field after another of one record: it may become unreadable, all others stay as they are."""
        async with self.proxied(folder) as (stage, proxy):
            truth, fields = await self._fields(stage, proxy)
            kind, source_id = stage.any_id()
            for path in fields:
                place = ".".join(path)
                proxy.change = lambda value, path=path: self._mutated(value, source_id, path, mutate)
                found = await self._tolerantly(stage, proxy, f"{place} of {source_id} is {what}", about=source_id)
                if found is None:
                    continue
                for key, known in truth.items():
                    got = found.get(key)
                    expect(got is not None, f"{key[0]} {key[1]} is lost where {place} of {kind} {source_id} is {what}")
                    if key[1] == source_id or got is None or source_id in known_raw(known):
                        continue
                    same = record_of(got) == record_of(known)
                    expect(same, f"{key[0]} {key[1]} changes where {place} of {kind} {source_id} is {what}")

    async def _tolerantly(
        self, stage: Stage, proxy: FaultProxy, when: str, about: str | None = None
    ) -> dict[Key, SourceChange] | None:
        """A whole reading; None where a SourceError told what is wrong. Nothing else may be raised, nothing removed."""
        found: list[SourceChange] = []
        told = False
        async with stage.opened(proxy.url) as adapter:
            for kind in adapter.kinds():
                try:
                    found.extend(flat(await pages_of(adapter, kind, None)))
                except SourceError as error:
                    named = about is None or about in str(error)
                    expect(named, f"{when}, all of {kind} stops, and the error does not name the record: {error}")
                    told = True
                except AssertionError:
                    raise
                except Exception as error:
                    raise AssertionError(f"{when}, and the adapter fell: {type(error).__name__}: {error}") from error
        gone = [change for change in found if isinstance(change, Removed)]
        expect(not gone, f"{when}, and {gone[0].source_id if gone else ''} was called deleted")
        for change in found:
            if isinstance(change, Unreadable):
                expect(
                    change.place and change.problem and change.fix,
                    f"{when}, and {change.source_id} is unreadable without place, problem or fix",
                )
        return None if told else last_of(found)

    async def _fields(self, stage: Stage, proxy: FaultProxy) -> tuple[dict[Key, SourceChange], list[Path_]]:
        """What the source shows, and the fields of the records in its answers."""
        proxy.calm()
        async with stage.opened(proxy.url) as adapter:
            truth = await whole(adapter)
        ids = {source_id for _, source_id in truth}
        found: dict[Path_, None] = {}
        for call in proxy.calls:
            for record in self._records(call.answer, ids):
                found.update(dict.fromkeys(paths(record)))
        fixed = {*self.id_fields, *self.fixed_fields}
        fields = [path for path in found if path[-1] not in fixed and not path[0].startswith("_")]
        expect(fields, "no record was found in any answer: see `id_fields`")
        return truth, fields[:FIELDS_MAX]

    def _records(self, value: JsonValue, ids: set[str] | None) -> Iterator[JsonObject]:
        """Objects that bear an id; where `ids` is given, one of these."""
        if isinstance(value, list):
            for member in value:
                yield from self._records(member, ids)
        elif isinstance(value, dict):
            own = [str(value[name]) for name in self.id_fields if isinstance(value.get(name), str | int)]
            if own and (ids is None or ids.intersection(own)):
                yield value
                return
            for member in value.values():
                yield from self._records(member, ids)

    def _mutated(self, value: JsonValue, source_id: str | None, path: Path_, mutate: Mutate | None) -> JsonValue:
        for record in self._records(value, None if source_id is None else {source_id}):
            set_at(record, path, mutate)
        return value

    def _with_new_field(self, value: JsonValue) -> JsonValue:
        for record in self._records(value, None):
            record[NEW_FIELD] = {"since": "2027"}
        return value


def record_of(change: SourceChange) -> object:
    """What a change says apart from its version and raw payload."""
    return change.record.model_dump(mode="json") if isinstance(change, Seen) else type(change).__name__


def known_raw(change: SourceChange) -> str:
    """The payload that a change came with."""
    return "" if isinstance(change, Removed) else change.raw


def paths(record: JsonObject, before: Path_ = ()) -> Iterator[Path_]:
    """The fields of an object and of the objects in it."""
    for name, value in record.items():
        yield (*before, name)
        if isinstance(value, dict):
            yield from paths(value, (*before, name))


def set_at(record: JsonObject, path: Path_, mutate: Mutate | None) -> None:
    """Change the field at a path, or take it away."""
    for name in path[:-1]:
        inner = record.get(name)
        if not isinstance(inner, dict):
            return
        record = inner
    if path[-1] not in record:
        return
    if mutate is None:
        del record[path[-1]]
    else:
        record[path[-1]] = mutate(record[path[-1]])


def leaves(value: JsonValue, change: Mutate) -> JsonValue:
    """The same with each leaf changed."""
    if isinstance(value, list):
        return [leaves(member, change) for member in value]
    if isinstance(value, dict):
        return {name: leaves(member, change) for name, member in value.items()}
    return change(value)


def _as_text(leaf: JsonValue) -> JsonValue:
    return f"{leaf:f}" if isinstance(leaf, Decimal) else leaf


def _as_number(leaf: JsonValue) -> JsonValue:
    return Decimal(leaf) if isinstance(leaf, str) and _FRACTION.fullmatch(leaf) else leaf
