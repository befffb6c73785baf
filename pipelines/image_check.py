"""Once a day: is every published image still what it was?"""

from typing import Any

import dagster as dg

from assets.installation import Installation
from sandbox.registry.integrity import check_images

CRON = "17 3 * * *"


def image_check_job() -> Any:
    """Fails where something was altered, which is what the operator is alarmed by."""

    @dg.op(
        required_resource_keys={"installation"},
        description="Hashes every layer and configuration that a published version stands on.",
    )
    def hash_images(context: dg.OpExecutionContext) -> None:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            checked = check_images(installation.images, connection)
        context.log.info("%s images of %s layers", checked.images, checked.layers)
        if checked.altered:
            raise dg.Failure(
                "images were altered; their versions are offline: restore the image store's backup,"
                " then run: signalbox image check",
                metadata={one.subject: one.detail for one in checked.altered},
            )

    @dg.job(
        name="image_check",
        executor_def=dg.in_process_executor,
        description="Every published image against its digest.",
    )
    def image_check() -> None:
        hash_images()

    return image_check


def daily_schedule(job: Any) -> dg.ScheduleDefinition:
    """Asks for the check at 03:17 UTC."""
    return dg.ScheduleDefinition(
        name="daily_image_check",
        job=job,
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
