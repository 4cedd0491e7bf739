"""From payment to light, as the customer watches it. Pure: what is on record, and which stage that is."""

from relight.flow.payments.queries import Progress, ServiceProgress
from relight.web.paypages.contexts import Stage

_CAME = ("confirmed", "booked")
# The worst service decides what the page says.
_WORST_FIRST = (Stage.SLOW, Stage.PAID, Stage.RESTORING, Stage.READY, Stage.ONLINE, Stage.SETTLED)


def stage_of(progress: Progress) -> Stage:
    """Where the payment of the last checkout is on its way."""
    if not money_came(progress):
        return Stage.WAITING
    stages = {_stage(service, progress) for service in progress.services}
    return next((stage for stage in _WORST_FIRST if stage in stages), Stage.SETTLED)


def money_came(progress: Progress) -> bool:
    """Whether the provider has confirmed the money, and it is on record."""
    return progress.payment_state in _CAME and progress.confirmed_at is not None


def has_failed(progress: Progress) -> bool:
    """Whether nothing more is to be expected of this checkout."""
    return progress.checkout_state in ("failed", "expired") and not money_came(progress)


def seconds_to_light(progress: Progress) -> int | None:
    """Whole seconds from the payment on record until the last service was seen to be back; None until then."""
    moments = [service.observed_at for service in progress.services if service.observed == "full"]
    if stage_of(progress) is not Stage.ONLINE or progress.confirmed_at is None:
        return None
    seen = [moment for moment in moments if moment is not None]
    return max(1, round((max(seen) - progress.confirmed_at).total_seconds())) if seen else None


def _stage(service: ServiceProgress, progress: Progress) -> Stage:
    assert progress.confirmed_at is not None
    was_down = service.observed_at is None or service.observed_at >= progress.confirmed_at
    if service.observed == "full" and not service.blocked:
        return Stage.ONLINE if was_down else Stage.SETTLED
    if service.gave_up or progress.somebody_knows:
        return Stage.SLOW
    if service.blocked:
        return Stage.PAID
    if service.desired != "full":
        return Stage.SETTLED  # somebody else's block stays: safety, or the customer's own wish
    return Stage.READY if service.observed == "ready" else Stage.RESTORING
