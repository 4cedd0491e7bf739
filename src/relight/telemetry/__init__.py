"""What the installation tells of itself: figures, logs and traces, none of them with anybody's name, address or sum.

It lies below the road, knows nothing of it, and asks no database: whoever does something counts it here.
"""
