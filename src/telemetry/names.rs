//! Every metric of Berth: its name, its labels, what it counts. No label ever holds a user or a
//! session: their number is unbounded.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Gauge: downstream connections that are open.
pub const CONNECTIONS: &str = "berth_connections";
/// Counter: downstream connections accepted.
pub const CONNECTIONS_TOTAL: &str = "berth_connections_total";
/// Counter: accepts that failed. Label `cause`: `descriptors`, `other`.
pub const ACCEPT_ERRORS: &str = "berth_accept_errors_total";
/// Counter: TLS handshakes that failed. Label `cause`: `deadline`, `closed`, `refused`.
pub const HANDSHAKES_FAILED: &str = "berth_tls_handshakes_failed_total";
/// Counter: requests refused by validation before any edge saw them. Label `cause`: the refusal's code.
pub const REQUESTS_REFUSED: &str = "berth_requests_refused_total";
/// Counter: requests answered. Labels `edge`: `control`, `data`, `none`; `class`: `1xx` to `5xx`.
pub const REQUESTS: &str = "berth_requests_total";
/// Histogram: seconds from a request's head to its answer's last byte. Label `edge`.
pub const REQUEST_SECONDS: &str = "berth_request_duration_seconds";
/// Gauge: sessions. Label `state`.
pub const SESSIONS: &str = "berth_sessions";
/// Gauge: reachable sessions by the time since the last human input. Label `idle`: `1m` (less than
/// a minute), `10m`, `1h`, `1d`, `more`.
pub const SESSIONS_IDLE: &str = "berth_sessions_idle";
/// Counter: session starts that became reachable.
pub const STARTS: &str = "berth_starts_total";
/// Counter: session starts that failed. Label `code`: the failure's code.
pub const STARTS_FAILED: &str = "berth_starts_failed_total";
/// Histogram: seconds from asked-for to reachable.
pub const START_SECONDS: &str = "berth_start_duration_seconds";
/// Gauge: starts that wait in line.
pub const STARTS_QUEUED: &str = "berth_starts_queued";
/// Gauge: `limits.max_sessions`.
pub const SESSIONS_MAX: &str = "berth_sessions_max";
/// Gauge: how many more sessions there is room for. Label `template`.
pub const CAPACITY_MORE: &str = "berth_capacity_more";
/// Gauge: 1 while the engine answers, else 0.
pub const ENGINE_UP: &str = "berth_engine_up";
/// Counter: engine calls that failed on the engine's side. Label `code`.
pub const ENGINE_ERRORS: &str = "berth_engine_errors_total";
/// Histogram: seconds that a sample of the machine and all containers took.
pub const SAMPLE_SECONDS: &str = "berth_sample_duration_seconds";
/// Gauge: cores of a machine. Label `node`, as for all that follow of a machine.
pub const HOST_CORES: &str = "berth_host_cores";
/// Gauge: cores of a machine that were busy since the sample before.
pub const HOST_BUSY_CORES: &str = "berth_host_busy_cores";
/// Gauge: a machine's load over one minute.
pub const HOST_LOAD: &str = "berth_host_load";
/// Gauge: bytes of a machine's memory.
pub const HOST_MEMORY_BYTES: &str = "berth_host_memory_bytes";
/// Gauge: bytes of a machine's memory that could be used without swapping.
pub const HOST_MEMORY_AVAILABLE_BYTES: &str = "berth_host_memory_available_bytes";
/// Gauge: containers of this installation that run or are frozen.
pub const HOST_CONTAINERS: &str = "berth_host_containers";
/// Gauge: bytes of a disk. Labels `node`; `disk`: `engine`, `store`.
pub const DISK_BYTES: &str = "berth_disk_bytes";
/// Gauge: bytes of a disk that may still be filled. Labels as for [`DISK_BYTES`].
pub const DISK_AVAILABLE_BYTES: &str = "berth_disk_available_bytes";
/// Counter: lines of the audit that could not be stored.
pub const AUDIT_LOST: &str = "berth_audit_lost_total";
/// Gauge: containers and sessions' homes that nobody owns; must read 0.
pub const ORPHANS: &str = "berth_orphans";
/// Gauge: homes that were measured. Label `level`: `fine`, `warn`, `full`.
pub const HOMES: &str = "berth_homes";
/// Gauge: bytes that the files in measured homes take.
pub const HOME_BYTES: &str = "berth_home_bytes";
/// Histogram: seconds that a look at up to 16 homes took.
pub const HOME_MEASURE_SECONDS: &str = "berth_home_measure_duration_seconds";
/// Counter: logins. Label `outcome`: `ok`, `refused`, `throttled`.
pub const LOGINS: &str = "berth_logins_total";
/// Gauge: WebSockets to sessions that are open. Label `role`: `owner`, `helper`, `observer`.
pub const VIEWERS: &str = "berth_viewers";
/// Counter: bytes relayed by WebSockets. Label `direction`: `to_browser`, `to_container`.
pub const RELAYED_BYTES: &str = "berth_relayed_bytes_total";
/// Counter: messages of view-only viewers that were dropped. Label `kind`: `key`, `pointer`,
/// `cut_text`, `qemu_key`, `power`, `desktop_size`.
pub const INPUT_DROPPED: &str = "berth_input_dropped_total";
/// Counter: viewers whose messages could not be followed any more. Label `role`, as for
/// [`VIEWERS`]; an observer's socket is closed then.
pub const PARSE_FALLBACKS: &str = "berth_rfb_parse_fallbacks_total";
/// Histogram: seconds from a WebSocket ping to its pong.
pub const PING_RTT_SECONDS: &str = "berth_ping_rtt_seconds";
/// Counter: human input by what it was. Label `source`: `key`, `pointer`, `clipboard` as seen in
/// relayed desktops.
pub const INPUT_EVENTS: &str = "berth_input_events_total";
/// Gauge: days until the certificate expires; negative afterwards.
pub const CERTIFICATE_DAYS: &str = "berth_certificate_expiry_days";
/// Counter: certificate reloads. Label `outcome`: `ok`, `failed`.
pub const CERTIFICATE_RELOADS: &str = "berth_certificate_reloads_total";
/// Counter: store calls that failed. Label `code`.
pub const STORE_ERRORS: &str = "berth_store_errors_total";

/// Bucket bounds of request durations, in seconds.
pub(super) const REQUEST_BUCKETS: [f64; 11] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Bucket bounds of start durations, in seconds.
pub(super) const START_BUCKETS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];

/// Bucket bounds of samples, in seconds.
pub(super) const SAMPLE_BUCKETS: [f64; 8] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Bucket bounds of looks at homes, in seconds.
pub(super) const MEASURE_BUCKETS: [f64; 8] = [0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 120.0, 300.0];

/// Bucket bounds of ping round trips, in seconds: from one machine to a satellite and a stall.
pub(super) const PING_BUCKETS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Gives the recorder every metric's help text and unit.
pub(super) fn describe() {
    describe_gauge!(CONNECTIONS, "Downstream connections that are open");
    describe_counter!(CONNECTIONS_TOTAL, "Downstream connections accepted");
    describe_counter!(ACCEPT_ERRORS, "Accepts that failed");
    describe_counter!(HANDSHAKES_FAILED, "TLS handshakes that failed");
    describe_counter!(REQUESTS_REFUSED, "Requests refused by validation");
    describe_counter!(REQUESTS, "Requests answered");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From a request's head to its answer's last byte");
    describe_gauge!(SESSIONS, "Sessions by state");
    describe_gauge!(SESSIONS_IDLE, "Reachable sessions by the time since the last human input");
    describe_counter!(STARTS, "Session starts that became reachable");
    describe_counter!(STARTS_FAILED, "Session starts that failed");
    describe_histogram!(START_SECONDS, Unit::Seconds, "From asked-for to reachable");
    describe_gauge!(STARTS_QUEUED, "Starts that wait in line");
    describe_gauge!(SESSIONS_MAX, "limits.max_sessions");
    describe_gauge!(CAPACITY_MORE, "How many more sessions of a template there is room for");
    describe_gauge!(ENGINE_UP, "1 while the engine answers");
    describe_counter!(ENGINE_ERRORS, "Engine calls that failed on the engine's side");
    describe_histogram!(SAMPLE_SECONDS, Unit::Seconds, "A sample of the machine and all containers");
    describe_of_machines();
    describe_counter!(AUDIT_LOST, "Lines of the audit that could not be stored");
    describe_gauge!(ORPHANS, "Containers and sessions' homes that nobody owns; must read 0");
    describe_gauge!(HOMES, "Homes that were measured, by how full they are");
    describe_gauge!(HOME_BYTES, Unit::Bytes, "What the files in measured homes take");
    describe_histogram!(HOME_MEASURE_SECONDS, Unit::Seconds, "A look at up to 16 homes");
    describe_counter!(LOGINS, "Logins by outcome");
    describe_gauge!(VIEWERS, "WebSockets to sessions that are open, by role");
    describe_counter!(RELAYED_BYTES, Unit::Bytes, "Bytes relayed by WebSockets");
    describe_counter!(INPUT_DROPPED, "Messages of view-only viewers that were dropped");
    describe_counter!(PARSE_FALLBACKS, "Viewers whose messages could not be followed any more");
    describe_histogram!(PING_RTT_SECONDS, Unit::Seconds, "From a WebSocket ping to its pong");
    describe_counter!(INPUT_EVENTS, "Human input seen in relayed desktops");
    describe_gauge!(CERTIFICATE_DAYS, "Days until the certificate expires");
    describe_counter!(CERTIFICATE_RELOADS, "Certificate reloads by outcome");
    describe_counter!(STORE_ERRORS, "Store calls that failed");
}

fn describe_of_machines() {
    describe_gauge!(HOST_CORES, "Cores of a machine");
    describe_gauge!(HOST_BUSY_CORES, "Cores of a machine that were busy");
    describe_gauge!(HOST_LOAD, "Load of a machine over one minute");
    describe_gauge!(HOST_MEMORY_BYTES, Unit::Bytes, "Memory of a machine");
    describe_gauge!(HOST_MEMORY_AVAILABLE_BYTES, Unit::Bytes, "Memory of a machine that could be used");
    describe_gauge!(HOST_CONTAINERS, "Containers of this installation that run or are frozen");
    describe_gauge!(DISK_BYTES, Unit::Bytes, "A disk");
    describe_gauge!(DISK_AVAILABLE_BYTES, Unit::Bytes, "What of a disk may still be filled");
}

/// Makes counters that are watched for a first event begin at zero: Prometheus sees no rise from nothing.
pub(super) fn begin() {
    for name in [STARTS, AUDIT_LOST] {
        metrics::counter!(name).increment(0);
    }
    for outcome in ["ok", "refused", "throttled"] {
        metrics::counter!(LOGINS, "outcome" => outcome).increment(0);
    }
    for role in ["owner", "helper", "observer"] {
        metrics::gauge!(VIEWERS, "role" => role).increment(0.0);
    }
    for outcome in ["ok", "failed"] {
        metrics::counter!(CERTIFICATE_RELOADS, "outcome" => outcome).increment(0);
    }
    for code in ["engine_conflict", "engine_down", "engine_refused", "engine_slow"] {
        metrics::counter!(ENGINE_ERRORS, "code" => code).increment(0);
    }
    for code in ["store_corrupt", "store_unavailable"] {
        metrics::counter!(STORE_ERRORS, "code" => code).increment(0);
    }
    for code in ["deadline", "engine", "engine_down", "exited", "image_missing"] {
        metrics::counter!(STARTS_FAILED, "code" => code).increment(0);
    }
}
