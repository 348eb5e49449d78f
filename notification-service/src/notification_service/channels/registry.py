"""Which channel carries letters: the explicit list of them."""

from collections.abc import Callable, Mapping

from service_kit.process.config import ConfigurationError

from notification_service.channels.eml_files import EmlFilesChannel
from notification_service.channels.port import Channel
from notification_service.channels.smtp import SmtpChannel
from notification_service.config import Config


def _smtp(config: Config) -> Channel:
    if config.smtp is None:
        raise ConfigurationError("SMTP_URL is not set.")
    return SmtpChannel(config.smtp)


def _eml_files(config: Config) -> Channel:
    return EmlFilesChannel(config.outbox_dir)


CHANNELS: Mapping[str, Callable[[Config], Channel]] = {
    SmtpChannel.name: _smtp,
    EmlFilesChannel.name: _eml_files,
}


def open_channel(config: Config) -> Channel:
    """Return the channel that the settings choose: SMTP where a server is set, files elsewhere."""
    return CHANNELS[SmtpChannel.name if config.smtp else EmlFilesChannel.name](config)
