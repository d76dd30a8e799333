//! Whether memory is flat: the last third of the run against the first.

use crate::sample::Sample;

/// The share of the run that is left out at its beginning: buffers and tables find their size.
const WARM_UP: f64 = 0.1;

/// At rest the heap may differ by so much, in bytes: the core keeps up to sixteen free buffers of 64 KiB for writes, and
/// one more each time that more were in use at once than ever before.
const HEAP_TOLERANCE: u64 = 1024 * 1024;

/// The system's count may differ by a tenth, and by this, in bytes: an allocator gives back what it likes.
const RSS_TOLERANCE: u64 = 16 * 1024 * 1024;

/// Samples that one third must have.
const ENOUGH: usize = 3;

/// What is said of a run with fewer, which is not wrong.
const TOO_SHORT: &str = "too short a run to judge memory: three minutes will do";

/// What the samples say, or what is wrong with them.
pub(crate) fn judge(samples: &[Sample]) -> Result<String, String> {
    let heap_at_rest: Vec<u64> =
        late(samples).filter(|sample| sample.at_rest).map(|sample| sample.heap).collect();
    let rss: Vec<u64> = late(samples).filter(|sample| !sample.at_rest).map(|sample| sample.rss).collect();
    let (Some((heap_first, heap_last)), Some((rss_first, rss_last))) = (thirds(&heap_at_rest), thirds(&rss))
    else {
        return Ok(TOO_SHORT.into());
    };
    let text = format!(
        "heap at rest {} KiB in the first third and {} KiB in the last, RSS {} KiB and {} KiB",
        heap_first / 1024,
        heap_last / 1024,
        rss_first / 1024,
        rss_last / 1024,
    );
    let flat =
        heap_last <= heap_first + HEAP_TOLERANCE && rss_last <= rss_first + rss_first / 10 + RSS_TOLERANCE;
    if flat { Ok(text) } else { Err(format!("memory grows: {text}")) }
}

fn late(samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    let end = samples.last().map(|sample| sample.at).unwrap_or_default();
    samples.iter().filter(move |sample| sample.at >= end.mul_f64(WARM_UP))
}

/// The medians of the first and the last third.
fn thirds(values: &[u64]) -> Option<(u64, u64)> {
    let third = values.len() / 3;
    (third >= ENOUGH).then(|| (median(&values[..third]), median(&values[values.len() - third..])))
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A run of 100 s that rests every third second, with `heap` and `rss` for each second.
    fn run(heap: impl Fn(u64) -> u64, rss: impl Fn(u64) -> u64) -> Result<String, String> {
        let samples: Vec<Sample> = (0..100)
            .map(|second| Sample {
                at: Duration::from_secs(second),
                rss: rss(second),
                heap: heap(second),
                files: 0,
                tasks: 0,
                sessions: 0,
                streams: 0,
                ended: 0,
                bytes: 0,
                at_rest: second % 3 == 0,
            })
            .collect();
        judge(&samples)
    }

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn what_grows_in_the_beginning_only_is_flat() {
        let grows_once = |second: u64| (10 + second.min(9)) * MIB;
        run(grows_once, grows_once).unwrap();
    }

    #[test]
    fn what_goes_on_growing_is_found() {
        let flat = |_| 100 * MIB;
        run(|second| second * MIB / 40, flat).unwrap_err();
        run(flat, |second| (100 + second) * MIB).unwrap_err();
        // What happens between the rests is not the heap's trend.
        run(|second| if second % 3 == 0 { 7 * MIB } else { second * MIB }, flat).unwrap();
    }

    #[test]
    fn a_short_run_is_not_judged() {
        assert_eq!(judge(&[]), Ok(TOO_SHORT.into()));
    }
}
