//! Limits that somebody typed, checked before they are anybody's.

use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::{LimitsChange, Setting};

/// The most that a limit may say.
const MOST_SESSIONS: u32 = 10_000;
const MOST_CPUS: f64 = 1024.0;
const MOST_MEMORY_MIB: u64 = 1 << 40;

/// Which limit says more than can be meant, or what no machine has.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum LimitsError {
    /// The cores.
    #[error("max_cpus must be from 0 to {MOST_CPUS}")]
    Cpus,
    /// The memory.
    #[error("max_memory_mib must be at most {MOST_MEMORY_MIB}")]
    Memory,
    /// The sessions.
    #[error("max_sessions must be at most {MOST_SESSIONS}")]
    Sessions,
}

impl Answer for LimitsError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "limits_invalid"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-limits-invalid")
    }

    fn field(&self) -> Option<&str> {
        Some(match self {
            Self::Cpus => "limits.max_cpus",
            Self::Memory => "limits.max_memory_mib",
            Self::Sessions => "limits.max_sessions",
        })
    }
}

/// Whether a change of limits means something.
///
/// # Errors
/// [`LimitsError`].
pub fn check_limits(change: &LimitsChange) -> Result<(), LimitsError> {
    match change {
        LimitsChange { max_sessions: Setting::Own(most), .. } if *most > MOST_SESSIONS => {
            Err(LimitsError::Sessions)
        }
        LimitsChange { max_cpus: Setting::Own(most), .. } if !(0.0..=MOST_CPUS).contains(most) => {
            Err(LimitsError::Cpus)
        }
        LimitsChange { max_memory_mib: Setting::Own(most), .. } if *most > MOST_MEMORY_MIB => {
            Err(LimitsError::Memory)
        }
        _ => Ok(()),
    }
}
