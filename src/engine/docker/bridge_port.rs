//! Where a session's own bridge leads: the host's end of its container's cable.
//!
//! A bridge remembers the sender of every frame for minutes, without a bound. A session that may
//! make packets can invent senders by the million (tools for that are taught), so its bridge is
//! told to remember nothing; with one container behind it, it need not.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// `AF_NETLINK` and `NETLINK_ROUTE` (linux/netlink.h).
const NETLINK: (i32, i32) = (16, 0);
/// `RTM_SETLINK` (linux/rtnetlink.h).
const SET_LINK: u16 = 19;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const ACKNOWLEDGED: u16 = 1 | 4;
/// `NLMSG_ERROR`, which also carries the acknowledgement: then its number is 0.
const ERROR: u16 = 2;
/// `AF_BRIDGE`.
const BRIDGE: u8 = 7;
/// `IFLA_PROTINFO | NLA_F_NESTED` (linux/if_link.h).
const PORT: u16 = 12 | 0x8000;
/// `IFLA_BRPORT_LEARNING`.
const LEARNING: u16 = 8;
/// The kernel answers within the call.
const BOUND: Duration = Duration::from_secs(1);

/// Has every port of the bridge `interface` learn no senders.
///
/// # Errors
/// The kernel's: not permitted without `CAP_NET_ADMIN` in the host's network namespace.
pub(super) fn forget_senders(interface: &str) -> io::Result<()> {
    let ports = Path::new("/sys/class/net").join(interface).join("brif");
    for port in ports.read_dir()? {
        let index = Path::new("/sys/class/net").join(port?.file_name()).join("ifindex");
        let index = std::fs::read_to_string(index)?;
        ask(&message(index.trim().parse().map_err(io::Error::other)?))?;
    }
    Ok(())
}

/// A netlink message that turns learning off (linux/netlink.h, linux/rtnetlink.h: `struct nlmsghdr`,
/// `struct ifinfomsg`, attributes padded to four bytes; all in the machine's byte order).
fn message(index: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(44);
    bytes.extend(44_u32.to_ne_bytes());
    bytes.extend(SET_LINK.to_ne_bytes());
    bytes.extend(ACKNOWLEDGED.to_ne_bytes());
    // Sequence and sender: one question per socket needs neither.
    bytes.extend([0; 8]);
    bytes.extend([BRIDGE, 0, 0, 0]);
    bytes.extend(index.to_ne_bytes());
    bytes.extend([0; 8]);
    for (length, attribute) in [(12_u16, PORT), (5, LEARNING)] {
        bytes.extend(length.to_ne_bytes());
        bytes.extend(attribute.to_ne_bytes());
    }
    // Off, and padding.
    bytes.extend([0; 4]);
    bytes
}

/// Sends one message and waits for its acknowledgement.
fn ask(message: &[u8]) -> io::Result<()> {
    let (family, protocol) = NETLINK;
    let mut socket = Socket::new(Domain::from(family), Type::RAW, Some(Protocol::from(protocol)))?;
    socket.set_read_timeout(Some(BOUND))?;
    socket.send(message)?;
    let mut answer = [0; 1024];
    let length = socket.read(&mut answer)?;
    let field = |at: usize| answer[..length].get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    let kind = field(4).map(|bytes: [u8; 4]| u16::from_ne_bytes([bytes[0], bytes[1]]));
    match (kind, field(16).map(i32::from_ne_bytes)) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(number)) => Err(io::Error::from_raw_os_error(-number)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_as_long_as_it_says() {
        let bytes = message(7);
        assert_eq!((bytes.len(), u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])), (44, 44));
        assert_eq!(bytes[20..24], 7_u32.to_ne_bytes());
    }

    #[test]
    fn a_bridge_that_is_not_there_is_an_error() {
        assert_eq!(forget_senders("no-such-bridge").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
