//! Small images in the page: PNG files as `data:` URLs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};

use crate::checkpoint::SavedModel;
use crate::data::ImageShape;
use crate::error::{Error, ErrorKind, Result};

/// Maximum number of units of the first layer that are shown.
const MOST_UNITS: usize = 64;

/// Longest side in pixels of the picture of an image, and of a unit. It keeps all pictures of a
/// page below a megabyte for any image size.
const MOST_SIDE: usize = 80;
const MOST_UNIT_SIDE: usize = 32;

/// Number of shades on each side of zero. It keeps files small, and the steps are not visible.
const SHADES: i32 = 31;

/// Red, green and blue of negative and of positive weights. Zero is transparent, so that the
/// pictures suit light and dark pages.
const BELOW: [u8; 3] = [205, 92, 52];
const ABOVE: [u8; 3] = [18, 140, 146];

/// Encodes an image of a data set.
pub(super) fn of_image(pixels: &[u8], shape: ImageShape) -> Result<String> {
    let (values, shape) = shrink(pixels, shape, MOST_SIDE);
    let pixels: Vec<u8> = values.into_iter().map(|value| value.round() as u8).collect();
    match shape.channels {
        3 => encode(&interleave(&pixels, 3), shape, ColorType::Rgb, None),
        // Images with another number of channels have no colours. Their first channel is shown.
        _ => encode(&pixels[..shape.height * shape.width], shape, ColorType::Grayscale, None),
    }
}

/// Scales all channels down to at most `most` rows and columns. Each value is the mean of those it
/// replaces.
fn shrink<T: Copy + Into<f64>>(values: &[T], shape: ImageShape, most: usize) -> (Vec<f64>, ImageShape) {
    let ImageShape { channels, height, width } = shape;
    let longest = height.max(width);
    if longest <= most {
        return (values.iter().map(|&value| value.into()).collect(), shape);
    }
    let [rows, columns] = [height, width].map(|side| (side * most / longest).max(1));
    let mut means = Vec::with_capacity(channels * rows * columns);
    for plane in values.chunks_exact(height * width) {
        for row in 0..rows {
            let from_rows = row * height / rows..(row + 1) * height / rows;
            for column in 0..columns {
                let from_columns = column * width / columns..(column + 1) * width / columns;
                let count = (from_rows.len() * from_columns.len()) as f64;
                let lines = from_rows.clone().map(|row| &plane[row * width..][from_columns.clone()]);
                let sum: f64 = lines.flatten().map(|&value| value.into()).sum();
                means.push(sum / count);
            }
        }
    }
    (means, ImageShape { channels, height: rows, width: columns })
}

/// A unit of the first layer.
#[derive(serde::Serialize)]
pub(super) struct Unit {
    pub(super) index: usize,
    /// Its weights as an image.
    pub(super) picture: String,
}

/// The first layer as images.
pub(super) struct FirstLayer {
    /// The units with the largest weights, in the layer's order.
    pub(super) units: Vec<Unit>,
    pub(super) count: usize,
    /// Height and width of the filters; `None` for a linear layer on whole images.
    pub(super) window: Option<[usize; 2]>,
}

/// Returns images of the first layer of a model.
///
/// Returns `None` if its weights are neither those of whole images, `[channels, height, width]`,
/// nor those of filters.
pub(super) fn of_first_layer(model: &SavedModel) -> Result<Option<FirstLayer>> {
    let Some(image) = model.about.as_ref().map(|about| about.shape) else { return Ok(None) };
    let weights = model.tensors.iter().find(|tensor| tensor.name == "0.weight");
    let Some(weights) = weights else { return Ok(None) };
    let ([channels, height, width], window) = match weights.shape[..] {
        [_, inputs] if inputs == image.iter().product::<usize>() => (image, None),
        [_, channels, height, width] => ([channels, height, width], Some([height, width])),
        _ => return Ok(None),
    };
    let shape = ImageShape { channels, height, width };
    let mut units: Vec<(usize, &[f32])> = weights.values.chunks_exact(shape.pixels()).enumerate().collect();
    let count = units.len();
    let size = |unit: &[f32]| unit.iter().map(|weight| weight * weight).sum::<f32>();
    units.sort_by(|(_, one), (_, other)| size(other).total_cmp(&size(one)));
    units.truncate(MOST_UNITS);
    units.sort_by_key(|(index, _)| *index);
    let draw = |(index, weights)| Ok(Unit { index, picture: of_weights(weights, shape)? });
    let units = units.into_iter().map(draw).collect::<Result<_>>()?;
    Ok(Some(FirstLayer { units, count, window }))
}

/// Draws weights from the most negative to the most positive.
fn of_weights(weights: &[f32], shape: ImageShape) -> Result<String> {
    let (weights, shape) = shrink(weights, shape, MOST_UNIT_SIDE);
    let weights: Vec<f32> = weights.into_iter().map(|weight| weight as f32).collect();
    let largest = weights.iter().fold(f32::MIN_POSITIVE, |largest, weight| largest.max(weight.abs()));
    if shape.channels == 3 {
        let bytes: Vec<u8> = weights.iter().map(|weight| (127.5 + 127.5 * weight / largest) as u8).collect();
        return encode(&interleave(&bytes, 3), shape, ColorType::Rgb, None);
    }
    let shade = |weight: &f32| ((weight / largest * SHADES as f32).round() as i32 + SHADES) as u8;
    let shades: Vec<u8> = weights[..shape.height * shape.width].iter().map(shade).collect();
    encode(&shades, shape, ColorType::Indexed, Some(palette()))
}

/// Returns the colours and opacities of the shades.
fn palette() -> (Vec<u8>, Vec<u8>) {
    let colours = (-SHADES..=SHADES).flat_map(|shade| if shade < 0 { BELOW } else { ABOVE });
    let opacities = (-SHADES..=SHADES).map(|shade| (255 * shade.abs() / SHADES) as u8);
    (colours.collect(), opacities.collect())
}

/// Converts planes to interleaved channels, as PNG requires.
fn interleave(planes: &[u8], channels: usize) -> Vec<u8> {
    let size = planes.len() / channels;
    (0..size).flat_map(|pixel| (0..channels).map(move |channel| planes[channel * size + pixel])).collect()
}

fn encode(
    pixels: &[u8],
    shape: ImageShape,
    colours: ColorType,
    palette: Option<(Vec<u8>, Vec<u8>)>,
) -> Result<String> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, shape.width as u32, shape.height as u32);
    encoder.set_color(colours);
    encoder.set_depth(BitDepth::Eight);
    if let Some((colours, opacities)) = palette {
        encoder.set_palette(colours);
        encoder.set_trns(opacities);
    }
    let failed = |cause| Error::new(ErrorKind::Internal, format!("cannot draw a picture: {cause}"));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{About, NamedTensor};
    use crate::data::{Normalisation, Resize};

    /// Decodes a picture as a PNG reader does: red, green, blue, opacity.
    fn decode(picture: &str) -> (u32, u32, Vec<u8>) {
        let base64 = picture.strip_prefix("data:image/png;base64,").expect("it is a PNG file");
        let file = STANDARD.decode(base64).expect("it is Base64");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().expect("it has a header");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it is small")];
        let info = reader.next_frame(&mut pixels).expect("it has pixels");
        let pixels = match info.color_type {
            ColorType::Rgba => pixels,
            ColorType::GrayscaleAlpha => {
                pixels.chunks(2).flat_map(|pair| [pair[0], pair[0], pair[0], pair[1]]).collect()
            }
            other => panic!("unexpected colours {other:?}"),
        };
        (info.width, info.height, pixels)
    }

    #[test]
    fn images_come_back_from_their_pictures() {
        let grey = ImageShape { channels: 1, height: 1, width: 3 };
        let expected = vec![0, 0, 0, 255, 127, 127, 127, 255, 255, 255, 255, 255];
        assert_eq!(decode(&of_image(&[0, 127, 255], grey).expect("it can be drawn")), (3, 1, expected));
        let colour = ImageShape { channels: 3, height: 2, width: 1 };
        let picture = of_image(&[1, 2, 3, 4, 5, 6], colour).expect("it can be drawn");
        assert_eq!(decode(&picture), (1, 2, vec![1, 3, 5, 255, 2, 4, 6, 255]));
    }

    #[test]
    fn large_images_are_shrunk_to_the_means_of_their_pixels() {
        let shape = ImageShape { channels: 2, height: 4, width: 6 };
        let values: Vec<u8> = (0..48).collect();
        let (means, small) = shrink(&values, shape, 3);
        assert_eq!(small, ImageShape { channels: 2, height: 2, width: 3 });
        // The mean of 0, 1, 6 and 7, and so on.
        let expected = [3.5, 5.5, 7.5, 15.5, 17.5, 19.5, 27.5, 29.5, 31.5, 39.5, 41.5, 43.5];
        assert_eq!(means, expected);
        for (height, width) in [(81, 80), (1, 4096), (4096, 1), (227, 113)] {
            let pixels = vec![77; 3 * height * width];
            let picture = of_image(&pixels, ImageShape { channels: 3, height, width });
            let (wide, high, pixels) = decode(&picture.expect("it can be drawn"));
            assert_eq!(wide.max(high), MOST_SIDE as u32);
            assert!(pixels.chunks(4).all(|pixel| pixel == [77, 77, 77, 255]), "{height}x{width}");
        }
        let (same, shape) = shrink(&values, shape, 6);
        assert!(same.iter().copied().eq(values.iter().map(|&value| f64::from(value))) && shape.width == 6);
    }

    /// Noise compresses least.
    #[test]
    fn all_pictures_of_a_page_are_less_than_a_megabyte() {
        let mut state = 1u32;
        let mut noise = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let shape = ImageShape { channels: 3, height: 100, width: 100 };
        let pixels: Vec<u8> = (0..shape.pixels()).map(&mut noise).collect();
        let mistakes = 24 * of_image(&pixels, shape).expect("it can be drawn").len();
        let weights: Vec<f32> = (0..70 * shape.pixels()).map(|index| f32::from(noise(index))).collect();
        let model = model([3, 100, 100], 70, weights);
        let layer = of_first_layer(&model).expect("it can be drawn").expect("there is a layer");
        let units: usize = layer.units.iter().map(|unit| unit.picture.len()).sum();
        assert!(mistakes + units < 950_000, "{mistakes} and {units} bytes");
    }

    fn model(shape: [usize; 3], units: usize, values: Vec<f32>) -> SavedModel {
        let inputs = shape.iter().product();
        let tensors = vec![NamedTensor { name: "0.weight".into(), shape: vec![units, inputs], values }];
        let normalisation = Normalisation { mean: vec![0.0], std: vec![1.0] };
        let about = About {
            model: "linear:2".into(),
            shape,
            classes: Vec::new(),
            resize: Resize::default(),
            normalisation,
        };
        SavedModel { tensors, about: Some(about) }
    }

    #[test]
    fn weights_are_shown_by_sign_and_size() {
        let found = of_first_layer(&model([1, 1, 3], 1, vec![-2.0, 0.0, 2.0])).expect("it can be drawn");
        let FirstLayer { units, count, window } = found.expect("there is a first layer");
        assert_eq!((units.len(), count, window), (1, 1, None));
        let [r, g, b] = BELOW;
        let [x, y, z] = ABOVE;
        let (.., pixels) = decode(&units[0].picture);
        assert_eq!(pixels, [r, g, b, 255, x, y, z, 0, x, y, z, 255]);
    }

    #[test]
    fn the_units_with_the_largest_weights_are_shown_in_their_order() {
        let weights = (0..200).map(|unit| if unit % 3 == 1 { 0.001 } else { unit as f32 }).collect();
        let found = of_first_layer(&model([1, 1, 1], 200, weights)).expect("it can be drawn");
        let FirstLayer { units, count, .. } = found.expect("there is a first layer");
        assert_eq!((units.len(), count), (MOST_UNITS, 200));
        assert!(units.is_sorted_by_key(|unit| unit.index));
        assert!(units.iter().all(|unit| unit.index % 3 != 1 && unit.index > 100), "small ones are shown");
    }

    /// Two filters of two rows and one column, whose three channels are colours.
    #[test]
    fn filters_are_shown_in_the_colours_of_their_channels() {
        let values = vec![1.0, -1.0, 0.0, 0.5, -0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0];
        let mut model = model([3, 5, 5], 2, values);
        model.tensors[0].shape = vec![2, 3, 2, 1];
        let found = of_first_layer(&model).expect("it can be drawn");
        let FirstLayer { units, count, window } = found.expect("there is a first layer");
        assert_eq!((units.len(), count, window), (2, 2, Some([2, 1])));
        let one = vec![255, 127, 63, 255, 0, 191, 255, 255];
        assert_eq!(decode(&units[0].picture), (1, 2, one));
        let other = vec![127, 127, 127, 255, 127, 127, 255, 255];
        assert_eq!(decode(&units[1].picture), (1, 2, other));
    }

    #[test]
    fn weights_of_zero_are_no_trouble() {
        assert!(of_first_layer(&model([3, 2, 2], 1, vec![0.0; 12])).expect("it can be drawn").is_some());
        assert!(of_first_layer(&model([1, 2, 2], 1, vec![0.0; 4])).expect("it can be drawn").is_some());
    }
}
