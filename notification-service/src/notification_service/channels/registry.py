"""Which channel carries e-mails: the explicit list of them."""

from notification_service.channels.eml_files import EmlFilesChannel
from notification_service.channels.port import Channel
from notification_service.channels.smtp import SmtpChannel
from notification_service.config import Config

CHANNELS: tuple[type[Channel], ...] = (SmtpChannel, EmlFilesChannel)


def open_channel(config: Config) -> Channel:
    """Return the channel that the settings choose: SMTP where a server is set, files elsewhere."""
    return SmtpChannel(config.smtp) if config.smtp else EmlFilesChannel(config.outbox_dir)
