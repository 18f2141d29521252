"""What callers see of groups, written as `shared.jobs.views` writes jobs."""

import json
from dataclasses import asdict

from shared.jobs.groups import Group, Quote
from shared.jobs.views import Pictures, job_json


def group_json(group: Group, pictures: Pictures) -> str:
    """Return a group with its jobs, without their timelines."""
    jobs = ",".join([job_json(job, pictures) for job in group.jobs])
    cost = sum(job.cost for job in group.jobs)
    return (
        f'{{"id":"{group.id}","state":"{group.state}","progress":{group.progress!r},"count":{len(group.jobs)},'
        f'"counts":{json.dumps(group.counts)},"cost":{cost!r},"created_at":"{group.created_at}",'
        f'"jobs":[{jobs}],"links":{{"self":"/v1/batches/{group.id}"}}}}'
    )


def quote_json(quote: Quote) -> str:
    """Return what a group would be."""
    return json.dumps(asdict(quote))
