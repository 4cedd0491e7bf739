"""What a late payer may be charged, in minor units, read from the law packs: amounts, never bookings."""
