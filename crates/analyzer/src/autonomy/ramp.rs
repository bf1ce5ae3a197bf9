//! Ramps from 0 to 1: no measured value has an edge at which a score jumps.

/// 0 up to `none`, 1 from `full` on, straight in between.
pub(crate) fn rising(value: f64, none: f64, full: f64) -> f64 {
    ((value - none) / (full - none)).clamp(0.0, 1.0)
}

/// 1 up to `full`, 0 from `none` on, straight in between.
pub(crate) fn falling(value: f64, full: f64, none: f64) -> f64 {
    1.0 - rising(value, full, none)
}

/// 1 between `from` and `to`, falling to 0 at `before` and `after`.
pub(crate) fn plateau(value: f64, before: f64, from: f64, to: f64, after: f64) -> f64 {
    rising(value, before, from).min(falling(value, to, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_have_no_edges() {
        for (value, expected) in [(0.0, 0.0), (0.75, 0.5), (1.0, 1.0), (8.0, 1.0), (12.0, 0.5)] {
            let found = plateau(value, 0.5, 1.0, 8.0, 16.0);
            assert!((found - expected).abs() < 1e-9, "{value}: {found}");
        }
        assert!(falling(f64::INFINITY, 1.0, 2.0) <= 0.0);
        assert!(rising(f64::NAN, 0.0, 1.0).is_nan() || rising(f64::NAN, 0.0, 1.0) <= 1.0);
    }
}
