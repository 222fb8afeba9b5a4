"""How JupyterLab lives behind the gateway.

The gateway has authenticated whoever arrives here, and nothing else reaches this port: sessions cannot reach each
other, and only the bridge's own address leads here. So Jupyter asks nobody for a token, and leaves to the gateway
what the gateway checks: the Origin of every WebSocket and the browser's right to be here.
"""

import os

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyterlab.labapp import LabApp

c = get_config()  # noqa: F821 (Jupyter provides it)

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_remote_access = True
c.ServerApp.root_dir = os.environ["HOME"]
c.ServerApp.quit_button = False
c.ServerApp.log_level = "WARN"
c.IdentityProvider.token = ""
c.PasswordIdentityProvider.hashed_password = ""
c.PasswordIdentityProvider.allow_password_change = False

# In path mode the page has no origin: its requests say "Origin: null", and it has no cookie to prove a form with.
c.ServerApp.allow_origin_pat = "null$"
c.ServerApp.disable_check_xsrf = True

# SIGTERM has five seconds; a kernel that does not end in two is killed.
c.KernelManager.shutdown_wait_time = 2.0
# A closed window does not lose what a long cell prints.
c.MappingKernelManager.buffer_offline_messages = True
c.FileContentsManager.delete_to_trash = False
# Two windows may look at one notebook; nobody needs to know which was first after a restart.
c.NotebookNotary.db_file = ":memory:"
c.SessionManager.database_filepath = ":memory:"

c.LabApp.extension_manager = "readonly"
c.LabApp.check_for_updates_class = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
c.LabApp.news_url = None

LabApp.app_name = os.environ.get("TITLE") or "Notebook"


# Routes stay as they are, because the gateway strips its prefix; only what is told to the browser has it.
def prefix(handler):
    """Where the browser sees this server, as the gateway says for each request; empty on a session's own host."""
    return handler.request.headers.get("X-Forwarded-Prefix", "")


def base_url(handler):
    return prefix(handler) + handler.settings["base_url"]


def below_prefix(handler, page_config):
    """The page's own addresses, below the prefix. The original is shared by all requests and stays as it is."""
    return {
        key: prefix(handler) + value if key.startswith("full") and str(value).startswith("/") else value
        for key, value in page_config.items()
    }


JupyterHandler.base_url = ExtensionHandlerMixin.base_url = property(base_url)
c.ServerApp.tornado_settings = {"page_config_hook": below_prefix}
