"""The cheapest shop that takes order updates, so that the benchmark measures us and not the shop."""

import asyncio

import click
from aiohttp import web


@click.command()
@click.option("--port", type=int, required=True)
def main(port: int) -> None:
    """Answer every order update with success, and count them at /count."""
    paid: set[int] = set()

    async def update(request: web.Request) -> web.Response:
        paid.add((await request.json())["payment_id"])
        return web.json_response({"updated": True})

    async def count(_request: web.Request) -> web.Response:
        return web.json_response({"payments": len(paid)})

    app = web.Application()
    app.add_routes([web.put("/orders", update), web.get("/count", count)])
    asyncio.set_event_loop(asyncio.new_event_loop())
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
