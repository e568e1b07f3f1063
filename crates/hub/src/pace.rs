//! The slowest transfer that is waited for. Every read has its own time limit, which a server that sends a byte now and
//! then keeps for ever; so a stretch of time has to bring something too, which limits the whole.

use std::time::Instant;

use super::settings::Patience;

/// Bytes of the present stretch of time, over as many connections as it has.
pub(super) struct Pace<'p> {
    patience: &'p Patience,
    began: Instant,
    got: u64,
}

impl<'p> Pace<'p> {
    pub fn new(patience: &'p Patience) -> Self {
        Self {
            patience,
            began: Instant::now(),
            got: 0,
        }
    }

    /// Count bytes that came, or none.
    ///
    /// # Errors
    /// When the stretch ends and brought too few; the words say how few.
    pub fn count(&mut self, bytes: u64) -> Result<(), String> {
        self.got += bytes;
        let Patience { stretch, least, .. } = *self.patience;
        if self.began.elapsed() < stretch {
            return Ok(());
        }
        if self.got < least {
            return Err(format!(
                "only {} bytes came in {} s, and it is given up below {least}",
                self.got,
                self.began.elapsed().as_secs_f64().round()
            ));
        }
        *self = Self::new(self.patience);
        Ok(())
    }
}
