//! Values as the old systems write them, turned into what a key takes.

use std::net::Ipv4Addr;

use toml::Value;

/// How a value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Cores, also as Docker's nano CPUs.
    Cpus,
    /// An absolute path.
    Directory,
    /// A host name, also inside a URL.
    Domain,
    /// Hours, into seconds.
    Hours,
    /// A logging level.
    Level,
    /// An amount of memory with its unit, or bytes.
    Mib,
    /// Milliseconds, into seconds.
    Millis,
    /// Minutes, into seconds.
    Minutes,
    /// A name of the engine's.
    Name,
    /// A path.
    Path,
    /// Seconds.
    Seconds,
    /// A Unix socket, also as a URL.
    Socket,
    /// An address pool.
    Subnet,
    /// A whole number of at least one.
    Whole,
    /// A time zone.
    Zone,
}

impl Form {
    /// What is calculated, for the documentation.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Hours => ", × 3600",
            Self::Minutes => ", × 60",
            Self::Millis => ", ÷ 1000",
            Self::Mib => " (from `512m`, `2g` or bytes)",
            Self::Cpus
            | Self::Directory
            | Self::Domain
            | Self::Level
            | Self::Name
            | Self::Path
            | Self::Seconds
            | Self::Socket
            | Self::Subnet
            | Self::Whole
            | Self::Zone => "",
        }
    }

    /// The value for the key, or why there is none; the text itself is not repeated.
    pub(super) fn read(self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        match self {
            Self::Cpus => cpus(text),
            Self::Directory if text.starts_with('/') => Ok(text.into()),
            Self::Directory => Err("it must be an absolute path on the engine's machine"),
            Self::Domain => domain(text),
            Self::Hours => seconds(text, 3600.0),
            Self::Level => level(text),
            Self::Mib => mib(text),
            Self::Millis => seconds(text, 0.001),
            Self::Minutes => seconds(text, 60.0),
            Self::Name | Self::Path | Self::Zone if text.is_empty() => Err("it is empty"),
            Self::Name | Self::Path | Self::Zone => Ok(text.into()),
            Self::Seconds => seconds(text, 1.0),
            Self::Socket => socket(text),
            Self::Subnet => subnet(text),
            Self::Whole => whole(text),
        }
    }
}

fn whole(text: &str) -> Result<Value, &'static str> {
    let number: i64 = text.parse().map_err(|_| "it is not a whole number")?;
    if number > 0 { Ok(number.into()) } else { Err("it must be at least 1") }
}

/// A number of some unit, or with a unit of its own (`30m`, `1h`), in whole seconds.
fn seconds(text: &str, unit: f64) -> Result<Value, &'static str> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) if !text.ends_with("ms") => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        Some((at, 'd')) => (&text[..at], 86_400.0),
        _ => (text, unit),
    };
    let number: f64 = number.trim().parse().map_err(|_| "it is not a length of time")?;
    let seconds = (number * unit).round();
    if !(1.0..=315_360_000.0).contains(&seconds) {
        return Err("it must be from a second to ten years");
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is a whole number in the range above")]
    Ok(Value::Integer(seconds as i64))
}

/// Docker's way of writing sizes: `512m`, `2g`, `1.5GiB`, or bytes.
fn mib(text: &str) -> Result<Value, &'static str> {
    let text = text.to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let bytes_per_unit = match text[digits.len()..].trim() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1_048_576.0,
        "g" | "gb" | "gib" => 1_073_741_824.0,
        _ => return Err("its unit is not one of b, k, m and g"),
    };
    let number: f64 = digits.parse().map_err(|_| "it is not a size like 512m")?;
    let mib = (number * bytes_per_unit / 1_048_576.0).round();
    if !(1.0..=16_777_216.0).contains(&mib) {
        return Err("it is less than a MiB, or more than 16 TiB");
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is a whole number in the range above")]
    Ok(Value::Integer(mib as i64))
}

fn cpus(text: &str) -> Result<Value, &'static str> {
    let number: f64 = text.parse().map_err(|_| "it is not a number of cores")?;
    // Docker's API counts in billionths.
    let cores = if number >= 1_000_000.0 { number / 1e9 } else { number };
    if (0.01..=1024.0).contains(&cores) {
        Ok(cores.into())
    } else {
        Err("it must be from 0.01 to 1024 cores")
    }
}

/// The host of a URL, or the text itself.
fn domain(text: &str) -> Result<Value, &'static str> {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = after_scheme.split(['/', ':', '?']).next().unwrap_or_default();
    let host = host.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
    match host.parse::<Ipv4Addr>() {
        Ok(_) => Err("it is an address; a certificate and cookies need a name"),
        Err(_) if host.is_empty() => Err("it is empty"),
        Err(_) => Ok(host.into()),
    }
}

fn socket(text: &str) -> Result<Value, &'static str> {
    let path = text.strip_prefix("unix://").unwrap_or(text);
    if path.starts_with('/') { Ok(path.into()) } else { Err("Berth opens a Unix socket only, unix:///…") }
}

fn subnet(text: &str) -> Result<Value, &'static str> {
    let net: ipnet::Ipv4Net = text.parse().map_err(|_| "it is not like 10.201.0.0/16")?;
    if !(8..=28).contains(&net.prefix_len()) {
        return Err("the prefix must be from /8 to /28");
    }
    Ok(net.trunc().to_string().into())
}

fn level(text: &str) -> Result<Value, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "trace" | "silly" => Ok("trace".into()),
        "debug" | "verbose" => Ok("debug".into()),
        "info" | "http" | "notice" => Ok("info".into()),
        "warn" | "warning" => Ok("warn".into()),
        "error" | "critical" | "fatal" => Ok("error".into()),
        _ => Err("it is not a level"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_keys_take() {
        for (form, text, expected) in [
            (Form::Minutes, "30", Value::from(1800)),
            (Form::Minutes, "2h", Value::from(7200)),
            (Form::Seconds, "90s", Value::from(90)),
            (Form::Seconds, "15m", Value::from(900)),
            (Form::Millis, "600000", Value::from(600)),
            (Form::Hours, "12", Value::from(43_200)),
            (Form::Mib, "512m", Value::from(512)),
            (Form::Mib, "2g", Value::from(2048)),
            (Form::Mib, "1.5GiB", Value::from(1536)),
            (Form::Mib, "2147483648", Value::from(2048)),
            (Form::Cpus, "1.5", Value::from(1.5)),
            (Form::Cpus, "2000000000", Value::from(2.0)),
            (Form::Domain, "https://Desk.Example.org:8443/x", Value::from("desk.example.org")),
            (Form::Domain, "*.desk.example.org", Value::from("desk.example.org")),
            (Form::Socket, "unix:///run/docker.sock", Value::from("/run/docker.sock")),
            (Form::Subnet, "172.30.5.1/16", Value::from("172.30.0.0/16")),
            (Form::Level, "WARNING", Value::from("warn")),
            (Form::Whole, " 12 ", Value::from(12)),
        ] {
            assert_eq!(form.read(text), Ok(expected), "{form:?} {text}");
        }
        for (form, text) in [
            (Form::Minutes, "soon"),
            (Form::Seconds, "0"),
            (Form::Mib, "2 elephants"),
            (Form::Cpus, "-1"),
            (Form::Domain, "192.0.2.7"),
            (Form::Domain, ""),
            (Form::Socket, "tcp://127.0.0.1:2375"),
            (Form::Subnet, "172.30.0.0"),
            (Form::Subnet, "172.30.0.0/30"),
            (Form::Level, "loud"),
            (Form::Whole, "0"),
            (Form::Directory, "./data"),
        ] {
            assert!(form.read(text).is_err(), "{form:?} {text}");
        }
    }
}
