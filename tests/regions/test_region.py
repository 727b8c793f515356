import json

import numpy as np
from pycocotools import mask as coco

from samclr_core.regions.region import Region, RegionSet


def test_region_of_mask_measures_box_and_area():
    mask = np.zeros((20, 30), bool)
    mask[4:9, 10:22] = True
    mask[4, 10] = False
    region = Region.of_mask(mask)
    assert region.bbox == (10, 4, 12, 5)
    assert region.area == 5 * 12 - 1
    assert coco.area(region.rle) == region.area


def test_region_set_survives_json():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 3:8] = True
    region = Region.of_mask(mask, 0.9, 0.97, (5.5, 3.5))
    whole = RegionSet("ab", 9, 9, {"model": "mobile_sam"}, (region,), 1.5, {"unstable": 3})
    again = RegionSet.from_json(json.loads(json.dumps(whole.to_json())))
    assert again == whole
    assert np.array_equal(again.regions[0].mask(), mask)
