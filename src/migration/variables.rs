//! Every environment variable of the three systems, and what becomes of it.
//!
//! Their sources are not here. The names are those that DESIGN section 1 implies and that such
//! systems customarily have; one row may have several spellings. `docs/migration.md` shows this
//! table, and a test compares the two.

#[cfg(test)]
mod tests;

use super::rules::Rule;
use super::rules::Rule::{Away, Env, Host, Key, Named, Port, Template, Token};
use super::value::Form;

/// A system that Berth replaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum System {
    /// The kiosk orchestrator (Python).
    Kiosk,
    /// The per-user desktop manager (Node and Traefik).
    Manager,
    /// The lab portal (Flask and MySQL).
    Portal,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kiosk, Self::Manager, Self::Portal];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Manager => "manager",
            Self::Portal => "portal",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Kiosk => "the kiosk orchestrator",
            Self::Manager => "the per-user desktop manager",
            Self::Portal => "the lab portal",
        }
    }
}

/// One row: a variable in all its spellings.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Who has it.
    pub systems: &'static [System],
    /// How it is spelled. One that ends in `*` stands for every name that begins so.
    pub names: &'static [&'static str],
    /// What becomes of it.
    pub(super) rule: Rule,
    /// Why, or what to know.
    pub note: &'static str,
}

impl Variable {
    /// What becomes of it, in the words of the documentation.
    #[must_use]
    pub fn becomes(&self) -> String {
        self.rule.becomes()
    }

    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => *known == name,
        })
    }
}

/// The row of a variable in a file of this system. A full name wins over the beginning of one.
#[must_use]
pub fn find(system: System, name: &str) -> Option<&'static Variable> {
    let of = || VARIABLES.iter().filter(|variable| variable.systems.contains(&system));
    of().find(|variable| variable.names.contains(&name)).or_else(|| of().find(|variable| variable.is(name)))
}

/// The systems that have a variable of this name.
#[must_use]
pub fn systems_of(name: &str) -> Vec<System> {
    System::ALL.into_iter().filter(|system| find(*system, name).is_some()).collect()
}

const KIOSK: &[System] = &[System::Kiosk];
const MANAGER: &[System] = &[System::Manager];
const PORTAL: &[System] = &[System::Portal];
const KIOSK_MANAGER: &[System] = &[System::Kiosk, System::Manager];
const KIOSK_PORTAL: &[System] = &[System::Kiosk, System::Portal];
const MANAGER_PORTAL: &[System] = &[System::Manager, System::Portal];
const ALL: &[System] = &System::ALL;

const fn row(
    systems: &'static [System],
    names: &'static [&'static str],
    rule: Rule,
    note: &'static str,
) -> Variable {
    Variable { systems, names, rule, note }
}

/// The table. An earlier row wins where two claim a name.
pub const VARIABLES: &[Variable] = &[
    // --- what the kiosk shows ---------------------------------------------------------------
    row(
        KIOSK,
        &["KIOSK_URL", "FIREFOX_URL", "START_URL", "TARGET_URL", "URL"],
        Env("KIOSK_URL"),
        "the page; one that is not on the screen's own machine also sets `network = \"egress\"`, which reaches the internet and no address of your LAN",
    ),
    row(
        KIOSK,
        &["KIOSK_WIDTH", "SCREEN_WIDTH", "DISPLAY_WIDTH", "WIDTH"],
        Env("WIDTH"),
        "the screen's first size; a viewer may change it",
    ),
    row(
        KIOSK,
        &["KIOSK_HEIGHT", "SCREEN_HEIGHT", "DISPLAY_HEIGHT", "HEIGHT"],
        Env("HEIGHT"),
        "the screen's first size; a viewer may change it",
    ),
    row(
        KIOSK,
        &["STATE_FILE", "STATE_PATH", "STATE_DIR", "DATA_FILE"],
        Named("`store.url`"),
        "sessions are in Berth's store and survive a restart; old containers are not taken over, each client gets a new one at its next access",
    ),
    row(
        KIOSK,
        &["CONTAINER_PREFIX", "CONTAINER_NAME_PREFIX", "NAME_PREFIX"],
        Named("label `berth.session`"),
        "containers are called `berth-<id>`, which `/status` tells as `container_name`",
    ),
    row(
        KIOSK,
        &["IDLE_TIMEOUT", "IDLE_TIMEOUT_SECONDS", "CONTAINER_TIMEOUT", "SESSION_TIMEOUT"],
        Away(Form::Seconds),
        "without human input; frozen then, and removed a minute later. A screen that nobody touches needs a large one",
    ),
    row(KIOSK, &["IDLE_TIMEOUT_MINUTES"], Away(Form::Minutes), "the same in minutes"),
    // --- what the manager has ---------------------------------------------------------------
    row(
        MANAGER,
        &["DOMAIN", "BASE_DOMAIN", "ROOT_DOMAIN"],
        Key("server.domain", Form::Domain),
        "users are at `https://<username>.<domain>/`: `server.routing = \"subdomain\"` comes with it",
    ),
    row(
        MANAGER,
        &["ACME_EMAIL", "LETSENCRYPT_EMAIL", "LE_EMAIL", "ACME_*", "LETSENCRYPT_*"],
        Named("`tls.certificate`, `tls.key`"),
        "name the files that a client of Let's Encrypt writes (a wildcard certificate); they are picked up when they change",
    ),
    row(
        MANAGER,
        &["TRAEFIK_*", "CERT_RESOLVER"],
        Named("nothing"),
        "Berth is the entrance itself: no Traefik, no labels on containers",
    ),
    row(
        MANAGER,
        &["DATA_DIR", "DATA_PATH", "USER_DATA_DIR", "USERS_DIR", "HOME_BASE"],
        Key("homes.directory", Form::Directory),
        "`<directory>/<username>` is a user's home, as it was; on the engine's machine, absolute, with a directory's own entry belonging to user 1000",
    ),
    row(
        MANAGER,
        &["IDLE_TIMEOUT_MINUTES", "IDLE_MINUTES", "INACTIVITY_MINUTES"],
        Away(Form::Minutes),
        "without human input: frozen then, later stopped; files are kept",
    ),
    row(MANAGER, &["IDLE_TIMEOUT_MS"], Away(Form::Millis), "the same in milliseconds"),
    row(
        MANAGER,
        &["IDLE_TIMEOUT", "IDLE_TIMEOUT_SECONDS", "INACTIVITY_TIMEOUT"],
        Away(Form::Seconds),
        "taken for seconds",
    ),
    row(
        MANAGER,
        &["VNC_RESOLUTION", "RESOLUTION", "SCREEN_RESOLUTION"],
        Env("GEOMETRY"),
        "the screen's first size; a viewer may change it",
    ),
    row(MANAGER, &["NODE_ENV", "NODE_OPTIONS"], Named("nothing"), "there is no Node"),
    row(
        MANAGER,
        &["HOST", "PORT", "API_PORT", "LISTEN_PORT"],
        Named("`server.listen`"),
        "that was the address behind Traefik; Berth listens where Traefik did, `0.0.0.0:443`",
    ),
    row(
        MANAGER,
        &["NETWORK", "NETWORK_NAME", "DOCKER_NETWORK", "TRAEFIK_NETWORK", "NETWORK_SUBNET", "SUBNET"],
        Named("`engine.network`, `engine.subnet`"),
        "that network is shared with Traefik; sessions get one of their own that reaches nothing else",
    ),
    row(
        MANAGER,
        &["PUID", "PGID", "USER_UID", "USER_GID"],
        Named("nothing"),
        "sessions run as user and group 1000",
    ),
    // --- what the portal has ----------------------------------------------------------------
    row(
        PORTAL,
        &[
            "SECRET_KEY",
            "FLASK_SECRET_KEY",
            "APP_SECRET",
            "JWT_SECRET",
            "JWT_SECRET_KEY",
            "WTF_CSRF_SECRET_KEY",
            "SECURITY_PASSWORD_SALT",
        ],
        Named("nothing"),
        "logins are random and stored hashed, nothing is signed; everybody logs in once more",
    ),
    row(
        PORTAL,
        &["DATABASE_URL", "SQLALCHEMY_*", "DB_URI"],
        Named("`store.url`"),
        "there is no MySQL; users come over by `berth user import --mysql-dump FILE`",
    ),
    row(
        PORTAL,
        &[
            "MYSQL_*",
            "MARIADB_*",
            "DB_HOST",
            "DB_PORT",
            "DB_USER",
            "DB_USERNAME",
            "DB_PASSWORD",
            "DB_PASS",
            "DB_NAME",
            "DB_DATABASE",
        ],
        Named("`store.url`"),
        "there is no MySQL; users come over by `berth user import --mysql-dump FILE`",
    ),
    row(
        PORTAL,
        &["PERMANENT_SESSION_LIFETIME", "SESSION_LIFETIME", "SESSION_LIFETIME_SECONDS", "SESSION_TIMEOUT"],
        Key("auth.login_ttl_s", Form::Seconds),
        "how long a login lasts",
    ),
    row(
        PORTAL,
        &["SESSION_LIFETIME_MINUTES"],
        Key("auth.login_ttl_s", Form::Minutes),
        "how long a login lasts",
    ),
    row(PORTAL, &["SESSION_LIFETIME_HOURS"], Key("auth.login_ttl_s", Form::Hours), "how long a login lasts"),
    row(PORTAL, &["FLASK_RUN_HOST"], Host, "the address; with TLS now"),
    row(PORTAL, &["FLASK_RUN_PORT", "APP_PORT"], Port, "the port; with TLS now"),
    row(
        PORTAL,
        &["SESSION_COOKIE_*", "REMEMBER_COOKIE_*", "SESSION_TYPE", "REMEMBER_*"],
        Named("nothing"),
        "cookies are `__Host-`, `Secure` and `HttpOnly`, always",
    ),
    row(
        PORTAL,
        &["FLASK_*", "GUNICORN_*", "UWSGI_*", "WEB_CONCURRENCY", "WORKERS", "THREADS", "WSGI_*"],
        Named("nothing"),
        "there is no Flask: one process serves all",
    ),
    row(
        PORTAL,
        &["ADMIN_*", "DEFAULT_ADMIN_*"],
        Named("`berth user add NAME --role admin`"),
        "administrators come over with the import; passwords never stand in a configuration",
    ),
    row(
        PORTAL,
        &["BCRYPT_*"],
        Named("nothing"),
        "bcrypt hashes are taken over; the first login replaces each by argon2id",
    ),
    row(
        PORTAL,
        &["MAX_CONTAINERS_PER_USER", "MAX_MACHINES_PER_USER", "MAX_VMS_PER_USER", "USER_QUOTA"],
        Key("limits.max_sessions_per_user", Form::Whole),
        "of one owner, in any state",
    ),
    row(
        PORTAL,
        &["BACKUP_*"],
        Named("`berth backup FILE`"),
        "run it from a timer; `--images` has the images too",
    ),
    row(
        PORTAL,
        &["SMTP_*", "MAIL_*", "ALERT_*"],
        Named("`server.metrics`"),
        "alerts are Prometheus rules over the metrics",
    ),
    row(PORTAL, &["REDIS_*", "CELERY_*"], Named("`store.url`"), "one gateway needs no Redis"),
    row(
        PORTAL,
        &["CPU_THRESHOLD", "RAM_THRESHOLD", "MEMORY_THRESHOLD", "MONITORING_*", "MONITOR_*"],
        Named("`server.metrics`"),
        "CPU, memory and sessions are metrics",
    ),
    row(
        PORTAL,
        &["UBUNTU_*", "KALI_*", "IMAGE_*", "WEBDEV_*", "SYSTEMS"],
        Named("`[[template]]`"),
        "each system is a template: `desktop` for Ubuntu, `security` for Kali, `webdev`, `database`",
    ),
    row(
        PORTAL,
        &["SERVER_NAME", "DOMAIN", "PUBLIC_URL", "BASE_URL", "APP_URL", "EXTERNAL_URL"],
        Key("server.domain", Form::Domain),
        "the host that browsers name",
    ),
    row(
        PORTAL,
        &["NETWORK_NAME", "DOCKER_NETWORK", "NETWORK_SUBNET", "SUBNET"],
        Named("`engine.network`, `engine.subnet`"),
        "that network is shared with the database; sessions get one of their own that reaches nothing else",
    ),
    // --- what several have ------------------------------------------------------------------
    row(KIOSK_PORTAL, &["HOST", "BIND_HOST", "LISTEN_HOST", "API_HOST"], Host, "the address; with TLS now"),
    row(KIOSK_PORTAL, &["PORT", "LISTEN_PORT", "API_PORT", "SERVER_PORT"], Port, "the port; with TLS now"),
    row(
        KIOSK,
        &["NETWORK_NAME", "DOCKER_NETWORK", "NETWORK"],
        Key("engine.network", Form::Name),
        "Berth makes it anew: remove the old one first",
    ),
    row(
        KIOSK,
        &["NETWORK_SUBNET", "SUBNET", "DOCKER_SUBNET"],
        Key("engine.subnet", Form::Subnet),
        "half of it is for sessions without a way out, a quarter for those with egress",
    ),
    row(
        KIOSK,
        &["NETWORK_GATEWAY", "GATEWAY"],
        Named("`engine.subnet`"),
        "the bridge takes the first address",
    ),
    row(
        KIOSK,
        &["DOMAIN", "PUBLIC_HOST", "PUBLIC_URL", "BASE_URL", "EXTERNAL_URL", "SERVER_NAME"],
        Key("server.domain", Form::Domain),
        "the host that browsers name",
    ),
    row(
        ALL,
        &[
            "MAX_CONTAINERS",
            "MAX_SLOTS",
            "MAX_SESSIONS",
            "MAX_CLIENTS",
            "MAX_USERS",
            "MAX_DESKTOPS",
            "MAX_MACHINES",
        ],
        Key("limits.max_sessions", Form::Whole),
        "running at once; `/status` tells it as `max_slots`",
    ),
    row(
        KIOSK_MANAGER,
        &["API_TOKEN", "ADMIN_TOKEN", "API_KEY", "AUTH_TOKEN", "BEARER_TOKEN", "API_SECRET"],
        Token,
        "a file with mode 0600 beside the configuration; one of fewer than 32 characters could be guessed and is replaced",
    ),
    row(
        KIOSK_MANAGER,
        &[
            "CLEANUP_INTERVAL",
            "CLEANUP_INTERVAL_SECONDS",
            "CLEANUP_INTERVAL_MINUTES",
            "REAPER_INTERVAL",
            "CHECK_INTERVAL",
            "IDLE_CHECK_INTERVAL",
            "POLL_INTERVAL",
            "CHECK_INTERVAL_MS",
        ],
        Named("`engine.reconcile_s`"),
        "every limit ends at its own time, not at the next round; store and engine are compared every 15 s",
    ),
    row(
        ALL,
        &[
            "MEMORY_LIMIT",
            "MEM_LIMIT",
            "CONTAINER_MEMORY",
            "CONTAINER_MEMORY_LIMIT",
            "USER_MEMORY_LIMIT",
            "MEMORY",
        ],
        Template("memory_mib", Form::Mib),
        "swap included",
    ),
    row(
        ALL,
        &["CPU_LIMIT", "CPUS", "CONTAINER_CPUS", "CONTAINER_CPU_LIMIT", "USER_CPU_LIMIT", "NANO_CPUS"],
        Template("cpus", Form::Cpus),
        "cores",
    ),
    row(
        ALL,
        &["SHM_SIZE", "CONTAINER_SHM_SIZE"],
        Template("shm_mib", Form::Mib),
        "`/dev/shm`, which browsers need",
    ),
    row(
        ALL,
        &["CPU_SHARES", "CPU_QUOTA", "CPU_PERIOD", "PIDS_LIMIT", "ULIMIT_*"],
        Named("`cpus`, `pids`"),
        "limits of the template",
    ),
    row(
        ALL,
        &[
            "IMAGE",
            "DOCKER_IMAGE",
            "CONTAINER_IMAGE",
            "KIOSK_IMAGE",
            "DESKTOP_IMAGE",
            "VNC_IMAGE",
            "IMAGE_NAME",
            "IMAGE_TAG",
        ],
        Named("`image` of a `[[template]]`"),
        "Berth's own image is taken, which is smaller and needs no noVNC. To keep yours, make a template of it with `protocol = \"http\"` and its port (`config/templates.d/novnc-classic.toml`)",
    ),
    row(
        ALL,
        &["VNC_PASSWORD", "VNC_PW", "DEFAULT_VNC_PASSWORD", "VNC_PASS"],
        Named("nothing"),
        "each session has a random one, which the gateway alone knows; people log in to Berth",
    ),
    row(
        ALL,
        &[
            "VNC_*",
            "NOVNC_*",
            "WEBSOCKIFY_*",
            "CONTAINER_PORT",
            "BASE_PORT",
            "START_PORT",
            "END_PORT",
            "PORT_RANGE*",
            "MIN_PORT",
            "MAX_PORT",
        ],
        Named("nothing"),
        "no port of a container is ever published",
    ),
    row(
        ALL,
        &["HTTPS_PORT"],
        Port,
        "the port that browsers use; of the manager it was Traefik's, in whose place Berth listens",
    ),
    row(
        ALL,
        &["HTTP_PORT"],
        Named("`server.listen`"),
        "that port was without TLS; Berth answers over TLS alone, at the port of HTTPS",
    ),
    row(
        MANAGER_PORTAL,
        &[
            "SSL_CERT",
            "SSL_CERT_PATH",
            "SSL_CERTIFICATE",
            "TLS_CERT",
            "TLS_CERT_FILE",
            "CERT_FILE",
            "CERT_PATH",
        ],
        Key("tls.certificate", Form::Path),
        "PEM, the server's certificate first",
    ),
    row(
        MANAGER_PORTAL,
        &["SSL_KEY", "SSL_KEY_PATH", "TLS_KEY", "TLS_KEY_FILE", "KEY_FILE", "KEY_PATH"],
        Key("tls.key", Form::Path),
        "PEM",
    ),
    row(
        ALL,
        &[
            "ENABLE_HTTPS",
            "USE_HTTPS",
            "HTTPS",
            "USE_TLS",
            "ENABLE_SSL",
            "USE_SSL",
            "HTTPS_ENABLED",
            "PREFERRED_URL_SCHEME",
        ],
        Named("nothing"),
        "everything is served over TLS",
    ),
    row(
        ALL,
        &["STOP_TIMEOUT", "CONTAINER_STOP_TIMEOUT"],
        Key("limits.stop_grace_s", Form::Seconds),
        "from SIGTERM to SIGKILL",
    ),
    row(
        ALL,
        &["START_TIMEOUT", "STARTUP_TIMEOUT", "CONTAINER_START_TIMEOUT", "READY_TIMEOUT"],
        Key("limits.start_deadline_s", Form::Seconds),
        "from leaving the line to reachable",
    ),
    row(
        ALL,
        &["DOCKER_HOST", "DOCKER_SOCKET", "DOCKER_SOCK", "DOCKER_BASE_URL", "DOCKER_SOCKET_PATH"],
        Key("engine.socket", Form::Socket),
        "a Unix socket, which the spawner alone opens",
    ),
    row(ALL, &["DOCKER_*"], Named("nothing"), "Berth speaks to one engine over its Unix socket"),
    row(ALL, &["LOG_LEVEL", "LOGLEVEL"], Key("log.filter", Form::Level), "`BERTH_LOG` wins over it"),
    row(
        ALL,
        &["LOG_FILE", "LOG_DIR", "LOG_PATH", "LOG_FORMAT"],
        Named("`[log]`"),
        "the log goes to standard error, `format = \"json\"` for collectors; the audit is apart (`berth audit tail`)",
    ),
    row(
        ALL,
        &["TZ", "TIMEZONE"],
        Key("limits.time_zone", Form::Zone),
        "of closing times and inside sessions",
    ),
    row(
        ALL,
        &[
            "CORS_*",
            "ALLOWED_ORIGINS",
            "ALLOWED_HOSTS",
            "RATE_LIMIT*",
            "RATELIMIT_*",
            "PROXY_*",
            "TRUSTED_PROXIES",
        ],
        Named("`server.trusted_proxies`"),
        "only Berth's own origin may change anything; name proxies in front of it there",
    ),
    row(
        ALL,
        &["DEBUG", "TESTING", "PYTHON*", "PIP_*", "COMPOSE_*", "LANG", "LC_ALL", "PATH"],
        Named("nothing"),
        "of no use here",
    ),
];
