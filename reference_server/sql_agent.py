"""An agent that answers from a database: takes a SELECT as it stands, and knows queries for some words."""

from reference_server.agent import AgentFailedError, AgentResult, AgentTask
from reference_server.sql_tool import SqlTool, sample_database
from reference_server.tools import Tool

SHOWN = 2_000  # characters of the rows that the answer repeats

DEFAULT_QUERY = "SELECT count(*) AS calls, sum(tokens) AS tokens FROM calls"
QUERIES = {
    "latency": "SELECT model, avg(latency_ms) AS mean_latency_ms FROM calls GROUP BY model ORDER BY 2 DESC",
    "cost": (
        "SELECT model, sum(tokens * cents_per_1k_tokens / 1000) AS cents "
        "FROM calls JOIN models ON name = model GROUP BY model ORDER BY 2 DESC"
    ),
    "fail": "SELECT model, sum(1 - ok) AS failed, count(*) AS calls FROM calls GROUP BY model",
}


def plan_query(text: str) -> str:
    """Choose the SQL for a request."""
    words = text.lstrip().casefold()
    if words.startswith(("select", "with")):
        return text
    return next((query for word, query in QUERIES.items() if word in words), DEFAULT_QUERY)


class SqlAgent:
    """Plans one query, runs it as a tool, and tells what came back."""

    def __init__(self) -> None:
        self._tool = Tool("sql_query", SqlTool(sample_database()).query)

    async def run(self, task: AgentTask) -> AgentResult | None:
        """Answer one request; fails where the query does."""
        request = task.request
        task.emit_thinking(request.about("Choosing a query for"))
        parameters = {"sql": plan_query(request.text), "request": request.text, "context": request.shown}
        outcome = await task.call_tool(self._tool, parameters)
        if outcome.status != "success":
            raise AgentFailedError(f"The query failed: {outcome.result.get('error', outcome.status)}")
        rows = outcome.result["rows"]
        answer = request.about(f"{len(rows)} rows answer") + "".join(f"\n{row}" for row in rows[:10])[:SHOWN]
        return AgentResult(answer, {"rows": len(rows)})
