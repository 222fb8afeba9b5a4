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
