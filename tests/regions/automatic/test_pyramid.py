"""Where a prompt looks, held to what the pyramid promises."""

import pytest
import torch

from samclr_core.regions.automatic.pyramid import around, everywhere, pyramid, tile_of


@pytest.mark.parametrize("tile", [0, 7, 27, 63])
def test_every_token_is_in_one_place_and_counts_once(tile):
    places = around(tile)
    counts = torch.bincount(places.spread, minlength=len(places.index))
    torch.testing.assert_close(places.log_count.exp(), counts.float())
    assert counts.sum() == 64 * 64
    assert set(counts.tolist()) <= {1, 4, 64}


@pytest.mark.parametrize("tile", [0, 7, 27, 63])
def test_a_place_is_the_average_of_its_tokens(tile):
    tokens = torch.randn(64 * 64, 3, generator=torch.Generator().manual_seed(tile))
    places = around(tile)
    seen = pyramid(tokens)[places.index]
    for place in (0, len(seen) // 2, len(seen) - 1):
        torch.testing.assert_close(seen[place], tokens[places.spread == place].mean(0))


def test_a_tile_and_what_is_next_to_it_are_seen_in_full():
    row, column = 3, 4
    alone = torch.bincount(around(8 * row + column).spread)[around(8 * row + column).spread] == 1
    alone = alone.view(64, 64)
    assert alone[8 * row - 2 : 8 * row + 10, 8 * column - 2 : 8 * column + 10].all()
    assert alone.sum() == 12 * 12


def test_far_fewer_places_than_tokens():
    assert max(len(around(tile).index) for tile in range(64)) < 320
    assert len(everywhere().index) == 64 * 64
    assert not everywhere().log_count.any()


def test_tiles_are_counted_row_by_row():
    points = torch.tensor([[0.0, 0.0], [127.9, 0.0], [128.0, 0.0], [0.0, 128.0], [1023.0, 1023.0]])
    assert tile_of(points).tolist() == [0, 0, 1, 8, 63]
