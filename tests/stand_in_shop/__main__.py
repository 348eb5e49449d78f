"""`python -m tests.stand_in_shop`: the shop as a process of its own."""

import click
from werkzeug.serving import make_server

from tests.stand_in_shop import Shop, create_app


@click.command()
@click.option("--port", default=5000, show_default=True)
@click.option("--gateway", default="http://127.0.0.1:8080", show_default=True, help="Address of the gateway.")
def main(port: int, gateway: str) -> None:
    """Play Store Manager on 127.0.0.1; its orders are forgotten when it ends."""
    server = make_server("127.0.0.1", port, create_app(Shop(gateway)), threaded=True)
    click.echo(f"stand-in shop: http://127.0.0.1:{port}")
    server.serve_forever()


main(prog_name="python -m tests.stand_in_shop")
