//! Activations of a batch in float64, computed in the slow and obvious way.

use crate::nn::Size;
use crate::ops::window::Window;

/// The activations of a stage, image by image. Maps are stored channels last.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) size: Size,
    pub(super) values: Vec<f64>,
}

/// Height and width of a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Extent {
    /// The size of the output if `window` moves over the map.
    pub(super) fn under(self, window: Window) -> Extent {
        let [height, width] = window.output(self.height, self.width).expect("sizes were checked");
        Extent { height, width }
    }

    /// All positions, row by row.
    pub(super) fn places(self) -> impl Iterator<Item = [usize; 2]> + Clone {
        (0..self.height).flat_map(move |row| (0..self.width).map(move |column| [row, column]))
    }

    fn size(self, channels: usize) -> Size {
        Size::Map { height: self.height, width: self.width, channels }
    }
}

/// The cells of a map in its window at this row and column, as pairs of index in the window and
/// index in the map.
pub(super) fn cells(
    window: Window,
    Extent { height, width }: Extent,
    [row, column]: [usize; 2],
) -> impl Iterator<Item = (usize, usize)> + Clone {
    let inside = Extent { height: window.height, width: window.width };
    inside.places().filter_map(move |[down, across]| {
        let y = (row * window.stride + down).checked_sub(window.padding)?;
        let x = (column * window.stride + across).checked_sub(window.padding)?;
        (y < height && x < width).then_some((down * window.width + across, y * width + x))
    })
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

impl Values {
    pub(super) fn images(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.size.values())
    }

    /// Number of values per cell; a row is one cell.
    pub(super) fn channels(&self) -> usize {
        let (Size::Row(channels) | Size::Map { channels, .. }) = self.size;
        channels
    }

    /// Height and width.
    ///
    /// # Panics
    /// If these are rows.
    pub(super) fn map(&self) -> Extent {
        let Size::Map { height, width, .. } = self.size else { panic!("sizes were checked") };
        Extent { height, width }
    }

    /// Replaces a channel; `values` has one value per cell.
    pub(super) fn set_channel(&mut self, channel: usize, values: Vec<f64>) {
        let channels = self.channels();
        let places = self.values.iter_mut().skip(channel).step_by(channels);
        places.zip(values).for_each(|(place, value)| *place = value);
    }

    /// Applies `of` to every value.
    pub(super) fn each(&self, of: impl Fn(f64) -> f64) -> Values {
        Values { size: self.size, values: self.values.iter().map(|&value| of(value)).collect() }
    }

    /// One output of a linear stage, for each image.
    pub(super) fn unit(&self, weights: &[f64], bias: f64) -> Vec<f64> {
        self.images().map(|image| bias + dot(image, weights)).collect()
    }

    /// One output channel of a convolution, for each image.
    pub(super) fn filtered(&self, window: Window, weights: &[f64], bias: f64) -> Vec<f64> {
        let (size, channels) = (self.map(), self.channels());
        let sum = |image: &[f64], place| {
            let products = cells(window, size, place).map(|(weight, cell)| {
                dot(&image[cell * channels..][..channels], &weights[weight * channels..][..channels])
            });
            bias + products.sum::<f64>()
        };
        self.images()
            .flat_map(|image| size.under(window).places().map(move |place| sum(image, place)))
            .collect()
    }

    /// A channel, normalised by its mean and variance over the batch.
    pub(super) fn normalised(&self, channel: usize, epsilon: f64, weight: f64, bias: f64) -> Vec<f64> {
        let values = self.values.iter().skip(channel).step_by(self.channels());
        let count = values.len() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.clone().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + epsilon).sqrt();
        values.map(|value| (value - mean) / deviation * weight + bias).collect()
    }

    /// The mean of each window; padding counts as zeros.
    pub(super) fn averaged(&self, window: Window) -> Values {
        let (size, channels) = (self.map(), self.channels());
        let area = (window.height * window.width) as f64;
        let mut values = Vec::new();
        for image in self.images() {
            for place in size.under(window).places() {
                values.extend((0..channels).map(|channel| {
                    let inside = cells(window, size, place).map(|(_, cell)| image[cell * channels + channel]);
                    inside.sum::<f64>() / area
                }));
            }
        }
        Values { size: size.under(window).size(channels), values }
    }

    /// Max pooling with known positions: the values at `places`, image by image.
    pub(super) fn picked(&self, window: Window, places: &[usize]) -> Values {
        let values = places.iter().map(|&place| self.values[place]).collect();
        Values { size: self.map().under(window).size(self.channels()), values }
    }

    /// The size of a map of `channels` channels whose cells are windows on this map.
    pub(super) fn size_under(&self, window: Window, channels: usize) -> Size {
        self.map().under(window).size(channels)
    }
}
