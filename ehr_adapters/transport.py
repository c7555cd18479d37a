"""HTTP to one peer: bounded in time and size, one host, and honest about lost answers."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from .errors import Ambiguous, Retryable, Unsupported

# A HAPI CapabilityStatement is 1-2 MB and a 25 MB scan is 34 MB as base64.
MAX_ANSWER_BYTES = 48 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds.

    ``total`` bounds one request and its answer as a whole, so that a peer which sends one byte
    at a time cannot hold a worker beyond its claim.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer. ``headers`` keys are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Return the seconds of the Retry-After header, or None."""
        return retry_after_seconds(self.headers.get("retry-after", ""), datetime.now(UTC))


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After value (number or HTTP date, RFC 9110) asks for."""
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def check_base_url(base_url: str, *, allowed_hosts: frozenset[str], allow_http: bool) -> str:
    """Return ``base_url`` without trailing slash if requests may go there.

    Args:
        base_url: address of the FHIR endpoint as configured.
        allowed_hosts: the operator's allow-list; empty means no list was given.
        allow_http: whether plain http beyond this machine was allowed in so many words.

    Raises:
        Unsupported: it may not be used; the message says why.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise Unsupported("base_url must be an http(s) address.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Unsupported("base_url must hold no user name, password, query or fragment.")
    if allowed_hosts and host not in allowed_hosts:
        raise Unsupported(f"The host {host} is not in the operator's list of EHR hosts.")
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        raise Unsupported("Plain http would show patient data on the network: use https.")
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Transport:
    """One peer's HTTP session.

    It logs nothing: request bodies and answers are patient data. Proxies come from ``proxy``
    only, never from the environment.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        limits: Limits | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        ca_file: str | None = None,
        proxy: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._limits = limits or Limits()
        self._max_answer_bytes = max_answer_bytes
        self._monotonic = monotonic
        self._client = httpx.Client(
            auth=auth,
            verify=ssl.create_default_context(cafile=ca_file),
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect),
            headers={"Accept": "application/fhir+json", "Accept-Encoding": "identity"},
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request to ``base_url/path`` and return the complete answer.

        Redirects are followed for reads and within the peer's origin only; others are returned.

        Raises:
            Retryable: it was never sent, or it was a read.
            Ambiguous: a write was sent and its answer was lost, cut or too large.
        """
        url = httpx.URL(f"{self._base_url}/{path}" if path else self._base_url)
        if query:
            url = url.copy_merge_params(dict(query))
        deadline = self._monotonic() + self._limits.total
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(method, url, headers or {}, body, deadline)
            if method not in SAFE_METHODS or not 300 <= answer.status < 400:
                return answer
            target = url.join(answer.headers.get("location", ""))
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                return answer
            url = target
        return answer

    def _once(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
    ) -> Answer:
        lost: type[Retryable | Ambiguous] = Retryable if method in SAFE_METHODS else Ambiguous
        request = self._client.build_request(method, url, headers=dict(headers), content=body)
        try:
            response = self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Retryable(f"The EHR cannot be reached ({type(error).__name__}).") from error
        except httpx.HTTPError as error:
            raise lost(f"No answer from the EHR ({type(error).__name__}).") from error
        try:
            chunks: list[bytes] = []
            size = 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > self._max_answer_bytes:
                    raise lost(f"The EHR's answer is over {self._max_answer_bytes} bytes.")
                if self._monotonic() > deadline:
                    raise lost(f"The EHR's answer took over {self._limits.total:g} s.")
        except httpx.HTTPError as error:
            raise lost(f"The EHR's answer broke off ({type(error).__name__}).") from error
        finally:
            response.close()
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lowered, b"".join(chunks))
