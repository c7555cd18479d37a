"""Reviews one scan over the REST API, from upload to release: plain Python and httpx.

``python examples/review_over_rest.py http://127.0.0.1:8000 TOKEN SCAN.png PASSWORD``: uploads the
scan, waits until it is read, claims it, accepts what was read in every field that waits for a
person, and releases it. To accept everything unseen is for a demo only; a program that decides
for people is exactly what this product is not. ``--scan ID`` begins at a scan that was read.
"""

from __future__ import annotations

import argparse
import time
import uuid
from pathlib import Path
from typing import Any

import httpx


class Clinic:
    """A signed-in client of the API."""

    def __init__(self, address: str, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self.http = httpx.Client(base_url=f"{address}/api/", headers=headers, timeout=60)

    def get(self, path: str) -> httpx.Response:
        """Return an answer, or raise with the problem's own words."""
        return self._checked(self.http.get(path))

    def post(self, path: str, body: Any = None, *, etag: str = "", **more: Any) -> httpx.Response:
        """Post with a key of its own: after a lost answer the same call could be sent again."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if etag:
            headers["If-Match"] = etag
        return self._checked(self.http.post(path, json=body, headers=headers, **more))

    @staticmethod
    def _checked(response: httpx.Response) -> httpx.Response:
        if response.is_error:
            raise SystemExit(f"{response.request.url.path}: {response.text}")
        return response


def upload(clinic: Clinic, path: Path) -> str:
    """Send a file and wait until it is read; returns the scan's id."""
    with path.open("rb") as file:
        answer = clinic.post("scans/", files={"file": (path.name, file)}).json()
    scan = answer["scans"][0]["scan_id"]
    while (status := clinic.get(f"scans/{scan}/").json()["status"]) in (
        "received",
        "paged",
        "read",
    ):
        time.sleep(1)
    print(f"scan {scan} is {status}")
    return str(scan)


def decide_all(clinic: Clinic, scan: str) -> int:
    """Accept every field that waits for a person; returns how many.

    A field that is ``blind`` tells no machine value: a person has to type it, here it stays open.
    """
    lease = clinic.post(f"scans/{scan}/lease/").json()["token"]
    count = 0
    for field in clinic.get(f"scans/{scan}/fields/").json()["items"]:
        if not field["needs_human"]:
            continue
        if field["blind"]:
            print(f"{field['title']}: a person has to type this one")
            continue
        decision = {"kind": "accepted" if field["machine_value"] else "not_present"}
        address = f"fields/{field['field_id']}/"
        etag = clinic.get(address).headers["ETag"]
        clinic.post(f"{address}decisions/", {**decision, "lease_token": lease}, etag=etag)
        count += 1
    clinic.post(f"scans/{scan}/lease/release/", {"lease_token": lease})
    return count


def release(clinic: Clinic, scan: str, password: str) -> dict[str, Any]:
    """Read what would be written, take note of the warnings, sign; returns the prescription."""
    preview = clinic.get(f"scans/{scan}/release/")
    warnings = [warning["key"] for warning in preview.json()["warnings"]]
    signed = {"password": password, "acknowledged": warnings}
    etag = preview.headers["ETag"]
    prescription: dict[str, Any] = clinic.post(f"scans/{scan}/release/", signed, etag=etag).json()
    return prescription


def main() -> None:
    """Upload, decide, release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("token")
    parser.add_argument("file", help="a scan, or with --scan anything")
    parser.add_argument("password")
    parser.add_argument("--scan", default="", help="begin at this scan instead of uploading")
    options = parser.parse_args()
    clinic = Clinic(options.address, options.token)
    scan = options.scan or upload(clinic, Path(options.file))
    print(f"{decide_all(clinic, scan)} fields decided")
    prescription = release(clinic, scan, options.password)
    print(f"prescription {prescription['prescription_id']} is {prescription['status']}")


if __name__ == "__main__":
    main()
