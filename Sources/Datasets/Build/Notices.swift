/// The licence texts that travel with the embedded datasets.
enum Notices {
    static let colin27 = """
        # Where these images come from

        Made from `ch2.nii.gz` (the T1-weighted mean of 27 scans of one head, known as Colin27) and `aal.nii.gz` (the AAL labels) as
        distributed in Debian's package mricron-data, version 1.2.20211006+dfsg-4, taken from MRIcron
        (https://github.com/neurolabusc/MRIcron). The axial slices were resampled with simulated acquisition parameters
        (see `dataset.json`); the masks are the labels 91 to 116 (cerebellum and vermis), resampled alike. They are therefore
        modified versions.

        Please cite Holmes et al. (1998), J Comput Assist Tomogr 22:324-333, for the image, and Tzourio-Mazoyer et al. (2002),
        NeuroImage 15:273-289, for the labels.

        Debian's copyright file gives this licence for the files of the package:

        Copyright 2006-2010, Chris Rorden

        Redistribution and use in source and binary forms, with or without
        modification, are permitted provided that the following conditions
        are met:

        Redistributions of source code must retain the above copyright notice, this
        list of conditions and the following disclaimer.

        Redistributions in binary form must reproduce the above copyright notice, this
        list of conditions and the following disclaimer in the documentation and/or
        other materials provided with the distribution.  Neither the names of the
        copyright owners nor the names of this project (MRIcron) may be used to
        endorse or promote products derived from this software without specific prior
        written permission.

        THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
        AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
        IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
        DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE
        FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
        DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
        SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
        CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
        OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
        OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

        """

    static let mni152 = """
        # Where these images come from

        Made from the ICBM 2009a nonlinear symmetric template (T1-weighted image and white matter probability) as distributed in the
        Python package nilearn, version 0.14.1. The axial slices were resampled with simulated acquisition parameters (see
        `dataset.json`); the masks are where the probability exceeds one half, resampled alike. They are therefore modified
        versions.

        Please cite Fonov et al. (2011), NeuroImage 54:313-327.

        The licence of the template:

        Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill University.
        Permission to use, copy, modify, and distribute this software and its documentation for any purpose and without fee is
        hereby granted, provided that the above copyright notice appear in all copies. The authors and McGill University make no
        representations about the suitability of this software for any purpose. It is provided "as is" without express or implied
        warranty. The authors are not responsible for any data loss, equipment damage, property loss, or injury to subjects or
        patients resulting from the use or misuse of this software package.

        """
}
