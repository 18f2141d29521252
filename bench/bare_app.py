"""A bare app to compare the functions with: FastAPI, where each handler runs one INSERT or SELECT.

`python -m bench.bare_app <port> <database URL>` serves it on the loopback interface.
"""

import sys
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, text

MAKE_TABLE = """
CREATE TABLE IF NOT EXISTS notes (
    id uuid PRIMARY KEY DEFAULT uuidv7(), text text NOT NULL, created_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class Note(BaseModel):
    """The request body, with one field."""

    text: str


def create_app(database_url: str) -> FastAPI:
    """Create the app in its simplest form: no accounts, no limits, no custom errors."""
    app = FastAPI()
    engine = create_engine(database_url)

    @app.post("/notes", status_code=202)
    def insert(note: Note) -> dict[str, Any]:
        with engine.begin() as connection:
            row = connection.execute(
                text("INSERT INTO notes (text) VALUES (:text) RETURNING id, text, created_at"), {"text": note.text}
            ).one()
        return dict(row._mapping)

    @app.get("/notes/{note_id}")
    def select(note_id: UUID) -> dict[str, Any]:
        with engine.begin() as connection:
            row = connection.execute(
                text("SELECT id, text, created_at FROM notes WHERE id = :id"), {"id": note_id}
            ).one()
        return dict(row._mapping)

    @app.get("/notes")
    def select_many(limit: int) -> list[dict[str, Any]]:
        query = text("SELECT id, text, created_at FROM notes ORDER BY id DESC LIMIT :limit")
        with engine.begin() as connection:
            rows = connection.execute(query, {"limit": limit}).all()
        return [dict(row._mapping) for row in rows]

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
