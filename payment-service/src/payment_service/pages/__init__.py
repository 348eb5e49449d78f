"""The pages that a person paying sees: what they can say, in French and English, without script.

A controller builds one of the pages of :mod:`page_models` and hands it to :func:`render.render_page`;
nothing here knows Flask, the database or a status of a payment.
"""
