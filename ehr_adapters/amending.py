"""Makes a FHIR server hold a later version of a prescription in place of the earlier one.

Every push looks first at what is there, changes only what does not say what we say, and reads it
back, so that a push after a crash goes on where the last one stopped. Withdrawn orders go first:
whatever happens after them, they are not active any more. What cannot be changed is reported with
its address, after everything else was changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .amendments import (
    AMENDED_TYPES,
    ERROR,
    Place,
    Step,
    Unchanged,
    amending_step,
    location_of,
    order_alone,
    replacing_document,
    settled,
    unamendable,
    unchanged,
    withdrawn_first,
    withheld,
)
from .documents import Entry, ReleasedDocument, Resource, with_references
from .errors import Ambiguous, AuthFailed, Rejected, Retryable, Unamendable
from .fhir_http import FhirHttp, carries, json_of_write, receipt_of, remote_id
from .model import Capabilities, Outcome, Receipt, Submission
from .payloads import (
    Route,
    business_identifier,
    create_request,
    document_alone,
    identified,
    placeholder,
)
from .readback import differences


@dataclass(slots=True)
class _Progress:
    """What one push has done so far."""

    kept: list[tuple[Step, Resource]] = field(default_factory=list)
    stuck: list[Unchanged] = field(default_factory=list)
    document: Resource | None = None


class Amendment:
    """One push of a version after the first."""

    def __init__(
        self,
        http: FhirHttp,
        capabilities: Capabilities,
        document: ReleasedDocument,
        submission: Submission,
        deadline: float,
    ) -> None:
        self._http = http
        self._capabilities = capabilities
        self._document = document
        self._key = submission.key
        self._deadline = deadline

    def run(self, route: Route, entries: tuple[Entry, ...], left_out: tuple[str, ...]) -> Receipt:
        """Change what the server holds; see ``EhrAdapter.push``.

        Raises:
            Unamendable: something of the earlier version still stands there.
        """
        arrived, standing = self._documents()
        places = self._places(entries, route)
        scan = self._document.document_reference
        if self._capabilities.looks_up:
            newest = arrived or (standing[0] if standing else None)
            places[id(scan)] = Place(searched=True, found=newest)
        progress = _Progress(document=places[id(scan)].found)
        before = [place for place in places.values() if place.found or not place.searched]
        if route is Route.TRANSACTION:
            self._in_one_transaction(entries, places, arrived, standing, progress)
        else:
            self._one_by_one(places, arrived, standing, progress)
        return self._close(progress, standing, left_out, amended=bool(before))

    def _documents(self) -> tuple[Resource | None, list[Resource]]:
        """Return the document of this version, and those of earlier ones, the newest first."""
        if not self._capabilities.looks_up:
            return None, []
        arrived = self._http.search("DocumentReference", self._key.identifier)
        known = {remote_id(arrived)} if arrived else set()
        standing: list[Resource] = []
        for identifier in reversed(self._key.identifiers[:-1]):
            found = self._http.search("DocumentReference", identifier)
            if found is not None and remote_id(found) not in known:
                known.add(remote_id(found))
                standing.append(found)
        return arrived, standing

    def _places(self, entries: tuple[Entry, ...], route: Route) -> dict[int, Place]:
        """Look for the earlier version of each entry; the keys are those of ``id(entry)``.

        Orders are looked for even where only documents go now: an earlier version may have put
        them there in a transaction.
        """
        orders = self._document.of_type("MedicationRequest") if route is Route.DOCUMENT else ()
        places = {}
        for entry in (*orders, *entries):
            if entry.type not in AMENDED_TYPES:
                continue
            if entry.type == "DocumentReference":
                places[id(entry)] = Place(searched=False)
                continue
            identifier = business_identifier(identified(entry, self._document, self._key))
            if identifier is None or not self._capabilities.of(entry.type).search_identifier:
                places[id(entry)] = Place(searched=False)
                continue
            places[id(entry)] = Place(True, self._http.search(entry.type, identifier))
        return places

    def _in_one_transaction(
        self,
        entries: tuple[Entry, ...],
        places: dict[int, Place],
        arrived: Resource | None,
        standing: list[Resource],
        progress: _Progress,
    ) -> None:
        refusal: Rejected | AuthFailed | None = None
        earlier: list[Any] = []
        for by_condition in (True, False):
            rows, steps, stuck = self._rows(
                entries, places, arrived, standing, by_condition=by_condition
            )
            if rows == earlier or (refusal is not None and not steps):
                break  # there is no other way
            earlier = rows
            if not steps:
                progress.stuck += stuck
                return
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
            try:
                answers = self._send_transaction(bundle, steps)
            except (Rejected, AuthFailed) as error:
                refusal = error
                continue
            progress.stuck += stuck
            for number, step in steps.items():
                self._verify(step, answers[number], progress)
            return
        if refusal is not None:
            ended = self._withdraw_alone(places, refusal, progress)
            raise self._refused(refusal, [p for key, p in places.items() if key not in ended])

    def _withdraw_alone(
        self, places: dict[int, Place], refusal: Rejected | AuthFailed, progress: _Progress
    ) -> set[int]:
        """Withdraw what can be, each order by itself; returns the keys of those that are.

        A transaction may have been refused for any of its parts, and an order that is not to be
        filled must not wait for them.
        """
        ended: set[int] = set()
        if isinstance(refusal, AuthFailed | Unamendable):
            return ended
        for entry in self._document.of_type("MedicationRequest"):
            place = places[id(entry)]
            if place.found is None or entry.resource.get("status") != ERROR:
                continue
            wanted = identified(entry, self._document, self._key)
            before = len(progress.stuck)
            try:
                self._write_one(order_alone(wanted, place.found), place, None, [], progress)
            except (Rejected, AuthFailed):
                continue
            if len(progress.stuck) == before:
                ended.add(id(entry))
        return ended

    def _rows(
        self,
        entries: tuple[Entry, ...],
        places: dict[int, Place],
        arrived: Resource | None,
        standing: list[Resource],
        *,
        by_condition: bool,
    ) -> tuple[list[Any], dict[int, Step], list[Unchanged]]:
        """Return the entries of the transaction, the amending steps by row, and what is stuck."""
        held = {
            key: remote_id(place.found) for key, place in places.items() if place.found is not None
        }
        urls = {
            id(entry): held.get(id(entry)) or placeholder(entry, self._key) for entry in entries
        }

        def rewrite(reference: str) -> str | None:
            target = self._document.resolve(reference)
            return urls.get(id(target), reference) if target is not None else reference

        rows: list[Any] = []
        steps: dict[int, Step] = {}
        stuck: list[Unchanged] = []
        for entry in sorted(entries, key=withdrawn_first):
            resource = with_references(identified(entry, self._document, self._key), rewrite)
            if entry.type not in AMENDED_TYPES:
                if arrived is None or business_identifier(resource) is not None:
                    request = create_request(resource, self._capabilities)
                    url = placeholder(entry, self._key)
                    rows.append({"fullUrl": url, "resource": resource, "request": request})
                continue
            place = places[id(entry)]
            step = self._step(resource, place, arrived, standing, stuck, by_condition=by_condition)
            if step is not None:
                url = placeholder(entry, self._key)
                steps[len(rows)] = step
                rows.append({"fullUrl": url, "resource": step.resource, "request": step.request})
        return rows, steps, stuck

    def _step(
        self,
        wanted: Resource,
        place: Place,
        arrived: Resource | None,
        standing: list[Resource],
        stuck: list[Unchanged],
        *,
        by_condition: bool,
    ) -> Step | None:
        """Return the write that ``wanted`` needs, or None; what is stuck is added to ``stuck``."""
        document = wanted["resourceType"] == "DocumentReference"
        if document and arrived is not None and not carries(arrived, self._key.identifiers[0]):
            # it was put beside the earlier one, which could not be changed
            wanted = replacing_document(wanted, self._key, standing[0] if standing else None)
        taken = document and arrived is not None and arrived.get("status") == wanted.get("status")
        if taken or settled(wanted, place):
            return None
        step = amending_step(wanted, place, self._capabilities, by_condition=by_condition)
        if step is not None:
            return step
        stuck.append(unchanged(wanted, place))
        support = self._capabilities.of("DocumentReference")
        again = place.searched or support.conditional_create
        if document and arrived is None and wanted.get("status") != ERROR and again:
            new = replacing_document(wanted, self._key, place.found)
            new.pop("id", None)
            return Step(new, create_request(new, self._capabilities), Place(searched=True))
        return None

    def _send_transaction(self, bundle: Resource, steps: dict[int, Step]) -> dict[int, str]:
        """Send it; returns where each step's resource lies."""
        guarded = any("ifMatch" in step.request for step in steps.values())
        answer = self._guarded_write("POST", "", bundle, {}, guarded=guarded)
        rows = json_of_write(answer).get("entry", [])
        if len(rows) != len(bundle["entry"]):
            raise Ambiguous("The EHR's transaction answer does not match what was sent.")
        places = {}
        for number, step in steps.items():
            response = rows[number].get("response") or {}
            if not str(response.get("status", "2")).startswith("2"):
                raise Rejected(f"The EHR refused a part: {str(response['status'])[:60]}.")
            places[number] = str(response.get("location") or "") or location_of(step)
        return places

    def _one_by_one(
        self,
        places: dict[int, Place],
        arrived: Resource | None,
        standing: list[Resource],
        progress: _Progress,
    ) -> None:
        """Change the orders that are there, the withdrawn ones first, and then the scan."""
        orders = sorted(self._document.of_type("MedicationRequest"), key=withdrawn_first)
        for entry in orders:
            place = places[id(entry)]
            if place.found is not None:
                wanted = identified(entry, self._document, self._key)
                self._write_one(order_alone(wanted, place.found), place, None, [], progress)
        scan = document_alone(self._document, self._key)
        place = places[id(self._document.document_reference)]
        self._write_one(scan, place, arrived, standing, progress)

    def _write_one(
        self,
        wanted: Resource,
        place: Place,
        arrived: Resource | None,
        standing: list[Resource],
        progress: _Progress,
    ) -> None:
        refusal: Rejected | AuthFailed | None = None
        earlier: Resource | None = None
        for by_condition in (True, False):
            stuck: list[Unchanged] = []
            step = self._step(wanted, place, arrived, standing, stuck, by_condition=by_condition)
            if step is None and refusal is not None:
                break
            if step is None:
                progress.stuck += stuck
                return
            if step.request == earlier:
                break
            earlier = step.request
            headers = {
                header: step.request[name]
                for name, header in (("ifMatch", "If-Match"), ("ifNoneExist", "If-None-Exist"))
                if name in step.request
            }
            try:
                answer = self._guarded_write(
                    step.request["method"],
                    step.request["url"],
                    step.resource,
                    headers,
                    guarded="ifMatch" in step.request,
                )
            except (Rejected, AuthFailed) as error:
                refusal = error
                continue
            progress.stuck += stuck
            self._verify(step, answer.headers.get("location") or location_of(step), progress)
            return
        if refusal is not None:
            raise self._refused(refusal, [place])

    def _guarded_write(
        self, method: str, path: str, body: Resource, headers: dict[str, str], *, guarded: bool
    ) -> Any:
        """Write; 412 to a version we named means that somebody changed it meanwhile."""
        if self._http.late(self._deadline):
            raise Retryable("The EHR is too slow to go on writing now.")
        try:
            answer = self._http.write(method, path, body, headers)
        except Unamendable:
            raise
        except Rejected as error:
            if guarded and error.status == 412:
                raise Retryable("It was changed in the EHR meanwhile (HTTP 412).") from error
            raise
        if answer.status == 202:
            raise Unamendable(
                "The EHR took the change for review by its staff (HTTP 202): see there that it was "
                "made, then send this delivery again to have it checked.",
                status=202,
            )
        return answer

    def _verify(self, step: Step, location: str, progress: _Progress) -> None:
        now = self._http.read_back(location, self._deadline)
        progress.kept.append((step, now))
        if now.get("resourceType") == "DocumentReference":
            progress.document = now
        if withheld(step, now):
            progress.stuck.append(Unchanged(remote_id(now)))

    def _close(
        self,
        progress: _Progress,
        standing: list[Resource],
        left_out: tuple[str, ...],
        *,
        amended: bool,
    ) -> Receipt:
        document = progress.document
        here = remote_id(document) if document else ""
        beside = [remote_id(each) for each in standing if each.get("status") == "current"]
        others = (Unchanged(each) for each in beside if each != here)
        stuck = dict.fromkeys([*progress.stuck, *others])
        if stuck:
            raise unamendable(list(stuck))
        if document is None:
            raise Ambiguous("The EHR did not say where it put the document.")
        outcome = Outcome.AMENDED if amended else Outcome.CREATED
        if not progress.kept:
            outcome = Outcome.ALREADY_THERE
        changed = [path for step, now in progress.kept for path in differences(step.resource, now)]
        return receipt_of(outcome, document, left_out, tuple(changed))

    def _refused(self, error: Rejected | AuthFailed, places: Any) -> Rejected | AuthFailed:
        """Return the refusal of a whole push, which leaves the earlier version as it was."""
        if isinstance(error, Unamendable):
            return error
        found = [place.found for place in places if place.found is not None]
        unknown = any(not place.searched for place in places)
        if not found and not unknown:
            return error  # there is no earlier version
        addresses = [remote_id(each) for each in found] or ["the earlier version"]
        problem = unamendable([Unchanged(each) for each in addresses], because=str(error))
        if isinstance(error, Rejected):
            problem.status, problem.outcome = error.status, error.outcome
        return problem
