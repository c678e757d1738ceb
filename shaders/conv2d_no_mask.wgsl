fn masked(sum: Terms, place: u32) -> Terms {
    return sum;
}
