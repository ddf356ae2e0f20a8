"""The configurations that are served, side by side: the server's own, and bundles by name."""

from __future__ import annotations

import logging
import re
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from engram_lab.core.errors import (
    ConflictError,
    EmbedderError,
    EngramError,
    InvalidInputError,
    NotFoundError,
    PromotionRefusedError,
    shown,
)
from engram_lab.core.registry import STORES
from engram_lab.core.selection import Selection
from engram_lab.engine import Engine
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.about import EngineAbout, summary_of, versions
from engram_lab.serve.tenants.embedders import SharedEmbedders, had
from engram_lab.serve.tenants.served import Served, settled, with_values

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from engram_lab.config import EngineConfig
    from engram_lab.core.clock import Clock
    from engram_lab.engine import Bundle
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.places import Places

__all__ = ["Configurations"]

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")


class Configurations:
    """Opens engines, each with the configuration that its tenant is assigned. Threads share it.

    What changes behaviour is the bundle's to say; what belongs to the place (addresses,
    credentials, caches, whether index files are kept) is the server's. Vectors are kept by the
    embedder that made them, so that a tenant may go from one configuration to another and back.

    Args:
        config: The server's own.
        places: Where databases lie.
        clock: Tells the time.
        own: A bundle that answers in place of the server's own configuration.
        bundles: More, by name.
        aside: Writes what recalls leave to be written; see `Engine.open`.

    Raises:
        InvalidInputError, PromotionRefusedError: See `add`.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        places: Places,
        clock: Clock,
        own: Bundle | None = None,
        bundles: Mapping[str, Bundle] = MappingProxyType({}),
        aside: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._aside = aside
        self._places = places
        self._clock = clock
        self._embedders = SharedEmbedders(clock=clock)
        self._changing = Lock()
        self._number = 0
        self._own = config
        self._served: Mapping[str | None, Served] = {}  # replaced as a whole: readers take no lock
        if own is None:
            self._put(self._made(None, config, None))
        else:
            made = self._made(None, settled(own.config, config), own)
            made.check()
            self._put(made)
        for name, bundle in bundles.items():
            self.add(name, bundle)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the bundles that are served, in order."""
        return tuple(sorted(name for name in self._served if name is not None))

    def add(self, name: str, bundle: Bundle) -> None:
        """Serve a bundle to the tenants that are assigned its name.

        Its embedder is loaded now where that can be, and else with the first engine.

        Raises:
            InvalidInputError: That is no name for a bundle, or a part of it is not known.
            ConflictError: The name is taken.
            PromotionRefusedError: Vectors would be made by another model than that of the evidence.
        """
        if _NAME.match(name) is None:
            raise InvalidInputError(
                f"{shown(name)} is no name for a bundle: give 1 to 64 of a-z, 0-9, '.', '_', '-', "
                "the first and last of them a letter or a digit"
            )
        self._take(name, bundle, taken=False)

    def replace(self, name: str, bundle: Bundle) -> None:
        """Serve another bundle under a name, from the next request on.

        Requests that are being answered end as they began.

        Raises:
            NotFoundError: Nothing is served under that name.
            InvalidInputError, PromotionRefusedError: See `add`; the former one stays.
        """
        self._take(name, bundle, taken=True)

    def replace_own(self, config: EngineConfig) -> None:
        """Serve another configuration of the server's own, from the next request on.

        Raises:
            InvalidInputError: A part of it is not known; the former one stays.
        """
        with self._changing:
            made = self._made(None, config, None)
            self._own = config
            self._put(made)

    def remove(self, name: str) -> None:
        """Serve a bundle no more. Tenants that are assigned it are refused until told otherwise.

        Raises:
            NotFoundError: Nothing is served under that name.
        """
        with self._changing:
            self._check_served(name)
            self._served = {key: each for key, each in self._served.items() if key != name}
            self._let_go()

    def warm_up(self) -> None:
        """Load the models of this machine now: to load one holds up every thread for a while."""
        for served in self._served.values():
            if served.loaded.exists and not served.loaded.is_remote:
                try:
                    served.loaded.get()
                except EmbedderError as error:  # it is asked for again with the first engine
                    _log.warning("the embedder of %s cannot be had yet: %s", served.name, error)

    def version(self, tenant: Tenant) -> Hashable:
        """Return a value that is another one as soon as a tenant's engine is to be opened anew."""
        served = self._served.get(tenant.bundle)
        return tenant.bundle if served is None else served.number

    def of(self, tenant: Tenant) -> Served:
        """Return the configuration that answers a tenant.

        Raises:
            UnavailableError: It is assigned a bundle that is not served here.
        """
        served = self._served.get(tenant.bundle)
        if served is None:
            raise UnavailableError(
                "the configuration that this tenant is assigned is not served here: whoever runs "
                "the server has to add it, or to assign another"
            )
        return served

    def open(self, tenant: Tenant) -> Engine:
        """Open the engine of a tenant, and its database, which is made where it is missing.

        What lacks a vector of this configuration's embedder gets one in the background.

        Raises:
            UnavailableError: It is assigned a bundle that is not served here, or whose vectors
                cannot be made here.
            StoreError: The database cannot be used.
        """
        served = self.of(tenant)
        try:
            served.check()
        except (EmbedderError, PromotionRefusedError) as error:
            _log.error("the bundle %s cannot be served: %s", served.name, error)
            raise UnavailableError(
                "the configuration that this tenant is assigned cannot be served now",
                headers={"Retry-After": "30"},
            ) from error
        embedder = had(served.loaded)
        engine = Engine.open(
            self._places.database(tenant.id),
            config=served.config,
            clock=self._clock,
            embedder=embedder,
            aside=self._aside,
        )
        try:
            _embed_what_waits(engine)
        except BaseException:
            engine.close()
            raise
        return engine

    def make(self, tenant: Tenant) -> None:
        """Make the database of a new tenant, without loading anything else.

        Raises:
            UnavailableError: It is assigned a bundle that is not served here.
            StoreError: The database cannot be made.
        """
        store = self.of(tenant).config.store
        place = str(self._places.database(tenant.id))
        STORES.get(store.kind).open(place, settings=store, clock=self._clock).close()

    def is_unused(self, tenant_id: str) -> bool:
        """Tell whether nothing was ever written to a database, or there is none."""
        if not self._places.exists(tenant_id):
            return True
        settings = self._own.store
        place = str(self._places.database(tenant_id))
        try:
            store = STORES.get(settings.kind).open(
                place, settings=settings, clock=self._clock, read_only=True
            )
        except EngramError:
            return False
        try:
            return store.changes.last() == 0  # type: ignore[no-any-return]
        finally:
            store.close()

    def memories(self, tenant_id: str) -> int | None:
        """Return how many memories a database holds; None where it is not there or out of reach."""
        if not self._places.exists(tenant_id):
            return None
        settings = self._own.store
        place = str(self._places.database(tenant_id))
        try:
            store = STORES.get(settings.kind).open(
                place, settings=settings, clock=self._clock, read_only=True
            )
        except EngramError:
            return None
        try:
            return store.memories.count(Selection(archived=True))  # type: ignore[no-any-return]
        finally:
            store.close()

    @property
    def own_hash(self) -> str:
        """The hash of what answers the tenants that no bundle is assigned to."""
        return self._served[None].config.content_hash

    def own_embedder(self) -> str | None:
        """Return the fingerprint of what makes the vectors of the server's own configuration.

        Raises:
            EmbedderError: It cannot be loaded.
        """
        loaded = self._served[None].loaded
        return loaded.get().fingerprint if loaded.exists else None

    def about(self, tenant: Tenant) -> EngineAbout:
        """Return what a tenant may know of the engine that answers it.

        Raises:
            UnavailableError: See `of`.
        """
        served = self.of(tenant)
        bundle = served.bundle
        try:
            embedder = served.loaded.get().fingerprint if served.loaded.exists else None
        except EmbedderError:
            embedder = None
        return EngineAbout(
            config_hash=served.config.content_hash,
            bundle=served.name,
            system=None if bundle is None else bundle.system,
            suite=None if bundle is None else str(bundle.manifest.get("suite")),
            evidence=None if bundle is None else summary_of(bundle),
            embedder=embedder,
            versions=versions(),
        )

    def _take(self, name: str, bundle: Bundle, *, taken: bool) -> None:
        with self._changing:
            if taken:
                self._check_served(name)
            elif name in self._served:
                raise ConflictError(f"a bundle {name!r} is served already: replace it")
            made = self._made(name, settled(bundle.config, self._own), bundle)
            try:
                made.check()
            except EmbedderError as error:  # such as a provider that is away for a moment
                _log.warning("the embedder of the bundle %s cannot be had yet: %s", name, error)
            self._put(made)

    def _made(self, name: str | None, config: EngineConfig, bundle: Bundle | None) -> Served:
        loaded = self._embedders.of(config.embedding)
        if config.embedding.defer == "auto" and loaded.is_remote:
            # An engine that is given an embedder cannot tell that it asks another machine.
            config = with_values(config, {"embedding.defer": "always"})
        self._number += 1
        return Served(name=name, config=config, bundle=bundle, loaded=loaded, number=self._number)

    def _put(self, made: Served) -> None:
        self._served = {**self._served, made.name: made}
        self._let_go()

    def _let_go(self) -> None:
        """Let go of embedders that no configuration uses."""
        self._embedders.keep(each.loaded for each in self._served.values())

    def _check_served(self, name: str) -> None:
        if name not in self._served:
            raise NotFoundError(f"no bundle {shown(name)} is served: add it")


def _embed_what_waits(engine: Engine) -> None:
    """Let vectors be made in the background where another embedder's are all there are."""
    if engine.config.embedding.model == "none":
        return
    try:
        fingerprint = engine.embedder.fingerprint
    except EmbedderError:  # it is asked for again with the next write
        return
    if engine.store.embedding_queue.counts(fingerprint).pending:
        engine.took_in(defer=True)
