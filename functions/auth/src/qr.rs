//! A text as a picture for a camera: a QR code in SVG, small enough for an answer.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// Modules of white around the code that readers need.
const MARGIN: usize = 4;

/// The picture, a square of any size.
///
/// # Errors
/// When the text is longer than a code can be: nearly three thousand bytes.
pub fn svg(text: &str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        // Dark modules beside each other are one rectangle.
        for run in row.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + MARGIN, y + MARGIN, run.len(), run.len());
            }
            x += run.len();
        }
    }
    let side = width + 2 * MARGIN;
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_the_modules_of_the_code() {
        let text = "otpauth://totp/Balc%C3%A3o:ana@escola.com.br?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Balc%C3%A3o";
        let picture = svg(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let path = picture.split("d=\"").last().unwrap();
        let runs = path.split('M').skip(1).map(|run| run.split('h').nth(1).unwrap().split('v').next().unwrap());
        let drawn: usize = runs.map(|length| length.parse::<usize>().unwrap()).sum();
        assert_eq!(drawn, code.to_colors().iter().filter(|color| **color == Color::Dark).count());
        assert!(picture.starts_with("<svg ") && picture.len() < 12_000, "{}", picture.len());
        // The corner of the first finder, behind the margin.
        assert!(path.starts_with("M4 4h7v1h-7z"));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(svg(&"x".repeat(4000)).is_err());
    }
}
