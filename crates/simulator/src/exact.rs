//! Functions that give the same bits on every machine, which those of the platform's library do not promise. Only
//! additions, multiplications and divisions, which IEEE 754 rounds alike everywhere.

/// Natural logarithm of a positive, finite, not subnormal number; good to some 15 digits.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7FF) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m − 1) / (m + 1)), and the argument is below 0.172.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, k| sum * z * z + 1.0 / f64::from(2 * k + 1));
    2.0 * z * series + exponent as f64 * std::f64::consts::LN_2
}

/// Common logarithm; see [`ln`].
pub(crate) fn log10(x: f64) -> f64 {
    ln(x) / std::f64::consts::LN_10
}

/// Cosine of an angle within ±90 degrees.
pub(crate) fn cos_degrees(degrees: f64) -> f64 {
    let x = degrees * (std::f64::consts::PI / 180.0);
    (1..14).rev().fold(1.0, |sum, k| 1.0 - sum * x * x / f64::from((2 * k - 1) * (2 * k)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_library() {
        for x in [1e-9, 0.05, 0.5, 1.0, 1.41, 1.5, 2.0, 10.0, 12_345.678] {
            assert!((ln(x) - f64::ln(x)).abs() < 1e-13, "ln {x}");
            assert!((log10(x) - f64::log10(x)).abs() < 1e-13, "log10 {x}");
        }
        for degrees in [-90.0_f64, -37.5, 0.0, 1.0, 45.0, 60.0, 89.0] {
            assert!((cos_degrees(degrees) - degrees.to_radians().cos()).abs() < 1e-13, "cos {degrees}");
        }
    }
}
