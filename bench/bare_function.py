"""A bare function to compare cold starts with: FastAPI with one handler that runs one SELECT, for Lambda.

It is bundled with the same packages as Easel's functions.
"""

import os
from typing import Any

from fastapi import FastAPI
from mangum import Mangum
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine(os.environ["EASEL_DATABASE_URL"], pool_size=1)


@app.get("/notes/{number}")
def select(number: int) -> dict[str, Any]:
    """Select one row."""
    with engine.begin() as connection:
        row = connection.execute(text("SELECT :number AS number, clock_timestamp() AS now"), {"number": number}).one()
    return dict(row._mapping)


handler = Mangum(app, lifespan="off")
