"""Writes down all that the outside sees of a checkout, so that two trees can be compared byte for byte.

    python -m tests.surface CHECKOUT OUTPUT_DIR
    diff -r BEFORE AFTER                            # equal: no output, exit code 0
    git diff --no-index --word-diff BEFORE AFTER    # the same for people: long lines by the word

CHECKOUT is any checkout with a `.venv` of its own (`make .venv/.installed-run`). It is looked at from outside
only, through its commands, its HTTP addresses and the tables of its databases: modules may move as they like.
What differs from run to run (ids, tokens, times, ports) becomes a placeholder; ids and tokens are numbered by
first appearance, so that it stays visible which of them are equal.

    openapi/PROFILE/SERVICE.json   the description of each service, as served, and laid out in .pretty.json
    events/, krakend.json          the schemas of the events; the gateway's file, and krakend_at_a_desk.json
    tables/ENGINE/SERVICE.sql      each database after its migrations, on SQLite, MariaDB and MySQL
    help/COMMAND.txt               the help of every command and subcommand
    answers/JOURNEY.txt            requests to `python -m run up`, and their answers
    answers/events.txt, neighbours.txt, mail.txt, shop.txt, commands.txt
                                   what these requests left: events, what other services were asked, letters,
                                   order updates, and what the commands of operators show
    answers_in_production/         what is different in the production profile

MariaDB is found as the tests find it, MySQL in MYSQL_ROOT or `.cache/mysql` of the working directory; an
engine that is missing is named at the end and leaves no folder.
"""
