//! Compares two sides. Each side has a name, so that a failure names who computed what, and so that
//! nobody compares a side with itself.

/// Half the distance from 1 to the next f32: the maximum error of one rounding.
const ROUNDING: f64 = 1.0 / (1 << 24) as f64;

/// Values and the name of who computed them.
pub struct Side<'a> {
    pub name: &'a str,
    pub values: &'a [f64],
}

/// The maximum difference of two sides.
///
/// Each element has its own limit, `absolute + relative |wanted|`, because a mean over a large
/// tensor hides a single wrong element. The mean squared error relative to the mean square (`nmse`)
/// is the sharper test of the whole tensor.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    pub absolute: f64,
    pub relative: f64,
    pub nmse: f64,
}

impl Tolerance {
    /// Exactly the same numbers.
    pub const EXACT: Tolerance = Tolerance { absolute: 0.0, relative: 0.0, nmse: 0.0 };

    /// For a result of a few operations on numbers of at most `magnitude`.
    pub fn rounded(magnitude: f64) -> Self {
        Tolerance { absolute: 4.0 * ROUNDING * magnitude, relative: 0.0, nmse: 1e-7 }
    }

    /// For a sum of `terms` numbers with intermediate values of about `magnitude`: rounding errors
    /// add up like a random walk, in any order of the terms.
    pub fn sum(terms: usize, magnitude: f64) -> Self {
        let nmse = if terms < 4096 { 1e-7 } else { 1e-6 };
        Tolerance { absolute: 4.0 * ROUNDING * (terms as f64).sqrt() * magnitude, relative: 0.0, nmse }
    }

    /// For numbers of all sizes: `relative` of each, but at least `absolute`.
    pub fn relative(relative: f64, absolute: f64) -> Self {
        Tolerance { absolute, relative, nmse: relative * relative }
    }

    /// For values that are `factor` times as large.
    pub fn times(self, factor: f64) -> Self {
        Tolerance { absolute: factor * self.absolute, ..self }
    }

    /// For a result that a GPU stores in f16, which has 11 significant bits. WGSL allows rounding
    /// to either side, and zero for numbers below 2^-14.
    pub fn in_f16(self) -> Self {
        const ROUNDING: f64 = 1.0 / (1 << 10) as f64;
        const LEAST: f64 = 1.0 / (1 << 14) as f64;
        Tolerance {
            absolute: self.absolute + LEAST,
            relative: self.relative + ROUNDING,
            nmse: self.nmse + ROUNDING * ROUNDING,
        }
    }

    fn limit(&self, wanted: f64) -> f64 {
        self.absolute + self.relative * wanted.abs()
    }
}

/// Fails, with a description, unless `got` agrees with `wanted` everywhere.
///
/// A number that is not finite must be the same on both sides. Every comparison asks whether the
/// error is small enough, so a NaN never passes.
pub fn compare(wanted: &Side, got: &Side, tolerance: &Tolerance) -> Result<(), String> {
    assert_ne!(wanted.name, got.name, "a side must not be compared with itself");
    if wanted.values.len() != got.values.len() {
        let (wanted_length, got_length) = (wanted.values.len(), got.values.len());
        return Err(format!("{} has {got_length} elements, {} {wanted_length}", got.name, wanted.name));
    }
    if wanted.values.is_empty() {
        return Err("there is nothing to compare".into());
    }
    let pairs = || wanted.values.iter().copied().zip(got.values.iter().copied());
    let wrong: Vec<usize> = pairs()
        .enumerate()
        .filter(|&(_, (wanted, got))| !element_agrees(wanted, got, tolerance.limit(wanted)))
        .map(|(index, _)| index)
        .collect();
    if let Some(&first) = wrong.first() {
        let (this, that) = (got.values[first], wanted.values[first]);
        return Err(format!(
            "{} of {} elements differ; at {first} {} has {this:e}, {} {that:e}: {:.1e} apart, {:.1e} allowed",
            wrong.len(),
            wanted.values.len(),
            got.name,
            wanted.name,
            (this - that).abs(),
            tolerance.limit(that),
        ));
    }
    let finite = || pairs().filter(|(wanted, _)| wanted.is_finite());
    let error: f64 = finite().map(|(wanted, got)| (wanted - got).powi(2)).sum();
    let square: f64 = finite().map(|(wanted, _)| wanted.powi(2)).sum();
    // If every element is within the absolute limit, the mean is not an error either.
    let floor = tolerance.absolute.powi(2) * ROUNDING;
    let agrees = error <= tolerance.nmse * square + floor * wanted.values.len() as f64;
    if !agrees {
        return Err(format!(
            "{} against {}: mean squared error is {:.1e} of the mean square, {:.1e} allowed",
            got.name,
            wanted.name,
            error / square,
            tolerance.nmse
        ));
    }
    Ok(())
}

fn element_agrees(wanted: f64, got: f64, limit: f64) -> bool {
    match (wanted.is_finite(), got.is_finite()) {
        (true, true) => (wanted - got).abs() <= limit,
        (false, false) => wanted == got || (wanted.is_nan() && got.is_nan()),
        _ => false,
    }
}

fn agree(wanted: &[f64], got: &[f64], tolerance: Tolerance) -> bool {
    let wanted = Side { name: "wanted", values: wanted };
    compare(&wanted, &Side { name: "got", values: got }, &tolerance).is_ok()
}

pub fn nothing_wrong_passes() {
    let loose = Tolerance { absolute: 0.1, relative: 0.0, nmse: 1.0 };
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    assert!(agree(&[1.0, nan, infinity], &[1.05, nan, infinity], loose));
    for wrong in [1.2, nan, infinity, -infinity] {
        assert!(!agree(&[1.0], &[wrong], loose), "{wrong} for 1");
        assert!(!agree(&[nan], &[1.0], loose), "1 for NaN");
    }
    assert!(!agree(&[infinity], &[-infinity], loose));
    assert!(!agree(&[1.0, 2.0], &[1.0], loose));
    assert!(!agree(&[], &[], loose));
}

pub fn one_wrong_element_in_a_million_is_found() {
    let wanted = vec![1.0; 1_000_000];
    let mut got = wanted.clone();
    got[777_777] += 1e-3;
    assert!(!agree(&wanted, &got, Tolerance::sum(1000, 1.0)));
}

pub fn a_small_error_everywhere_is_found() {
    let tolerance = Tolerance { absolute: 1e-2, relative: 0.0, nmse: 1e-7 };
    assert!(!agree(&[1.0; 100], &[1.001; 100], tolerance));
}
