#!/usr/bin/env bash
# Makes broadcast.flv, the recording that the sample broadcast plays in a loop: a boat on an evening sea, and a clock.
# Needs ffmpeg with libx264 and DejaVu fonts (Debian: apt-get install ffmpeg fonts-dejavu-core). Takes a few minutes.
set -euo pipefail
cd "$(dirname "$0")"

# 24 s are 720 frames of video at 30 fps and 1,125 frames of AAC at 48 kHz, both whole: the loop has no seam.
seconds=24
rate=30
frames=$((seconds * rate))
font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
mono=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf
turn="2*PI"

# Drawn at twice the size and scaled down, so that what drifts slowly does not jump from pixel to pixel.
width=2560
height=1440

still() { # size, expressions for r, g, b and alpha -> a source that shows one picture for ever
  echo "color=c=black:s=$1:r=$rate:d=0.04,format=gbrap,geq=r='$2':g='$3':b='$4':a='$5',loop=-1:size=1,setpts=N/($rate*TB)"
}

# The crest of a wave, in pixels below its layer's top, as a function of a position; whole periods per width.
crest() { # position, periods, height, phase
  echo "(110+$3*sin($turn*$2*($1)/$width+$4)+$3/3*sin($turn*$2*2*($1)/$width+$4*1.7))"
}

wave() { # periods, height, phase, colour at the crest and in the deep (r g b r g b), widths scrolled in the loop
  local depth="clip((Y-$(crest X "$1" "$2" "$3"))/520,0,1)"
  local shade="pow($depth,0.6)"
  still "${width}x900" "$4+($7-$4)*$shade" "$5+($8-$5)*$shade" "$6+($9-$6)*$shade" \
    "255*clip((Y-$(crest X "$1" "$2" "$3"))/2,0,1)"
  echo ",scroll=horizontal=${10}/$frames"
}

sky=$(still "${width}x$height" \
  "clip(24+220*pow(Y/900,1.5)+150*exp(-hypot(X-1800,Y-600)/170),0,255)" \
  "clip(30+125*pow(Y/900,1.7)+130*exp(-hypot(X-1800,Y-600)/200),0,255)" \
  "clip(72+62*Y/900+60*exp(-hypot(X-1800,Y-600)/230),0,255)" 255)
sun=$(still 320x320 255 238 205 "255*clip(130-hypot(X-160,Y-160),0,1)")
# A hull that narrows downward, a mast, and two sails.
hull="between(Y,190,232)*lt(abs(X-120),100-(Y-190)*0.9)"
sail="lt(Y,180)*gt(X,126)*lt(X-126,(Y-20)*0.52)"
jib="between(Y,50,180)*lt(X,114)*lt(114-X,(Y-50)*0.55)"
boat=$(still 240x240 "if($hull,92,252)" "if($hull,46,246)" "if($hull,44,232)" \
  "255*clip($hull+$sail+$jib+between(Y,14,190)*lt(abs(X-120),4),0,1)")

# Turns of the loop are whole numbers, so that the last frame is followed by the first. The boat is out of sight then.
bob() { # middle, height, turns
  echo "$1+$2*sin($turn*$3*t/$seconds)"
}
boatx="-300+($width+600)*t/$seconds"
boaty="$(bob 800 10 5)-205+$(crest "mod($boatx+120+$width*t/$seconds,$width)" 3 34 2)"

clock="%{eif\:floor(t)\:d\:2}.%{eif\:floor(mod(t*10\,10)+0.01)\:d}"

# Four chords of six seconds, each swelling from silence and back to it, and a plucked note every three quarters of one.
pick() { # what of $2 $3 ... applies in each step of $1 seconds
  local step=$1 expression=0 index=0
  shift
  for value in "$@"; do
    expression="$expression+$value*eq(floor(t/$step),$index)"
    index=$((index + 1))
  done
  echo "($expression)"
}
swell="pow(sin(PI*mod(t,6)/6),1.5)"
pluck="min(1,mod(t,0.75)*120)*exp(-4.5*mod(t,0.75))*min(1,(0.75-mod(t,0.75))*60)"
tone() { echo "sin($turn*$1*t)"; }
low=$(tone "$(pick 6 110.00 87.31 130.81 98.00)")
root=$(tone "$(pick 6 220.00 174.61 261.63 196.00)")
third=$(tone "$(pick 6 261.63 220.00 329.63 246.94)")
fifth=$(tone "$(pick 6 329.63 261.63 392.00 293.66)")
notes=$(pick 0.75 880 659.26 523.25 659.26 783.99 659.26 523.25 440 \
  698.46 523.25 440 523.25 880 698.46 523.25 440 \
  783.99 659.26 523.25 659.26 1046.5 783.99 659.26 523.25 \
  783.99 587.33 493.88 587.33 987.77 783.99 587.33 493.88)
bell="(sin($turn*$notes*t)+0.3*sin($turn*2*$notes*t)*exp(-6*mod(t,0.75)))"
left="0.05*$swell*($low+0.7*$root+0.6*$third+0.3*$fifth)+0.045*$pluck*$bell"
right="0.05*$swell*($low+0.7*$root+0.3*$third+0.6*$fifth)+0.035*$pluck*$bell"

# The encoder puts a frame of 1,024 samples before the first one; without the last 1,024, there are 1,125 frames.
# B-frames would hold every frame back by two.
ffmpeg -hide_banner -loglevel error -y -filter_complex "
  $sky[sky];
  $sun[sun];
  $(wave 4 16 0 214 128 116 120 84 110 0.25)[far];
  $(wave 4 24 1 142 92 122 74 62 104 0.5)[middle];
  $(wave 3 34 2 78 70 118 42 46 88 1)[near];
  $boat[boat];
  $(wave 2 44 4 40 48 92 16 22 52 1)[front];
  [sky][sun]overlay=1640:'$(bob 450 14 1)':format=gbrp[a];
  [a][far]overlay=0:'$(bob 640 6 2)':format=gbrp[b];
  [b][middle]overlay=0:'$(bob 720 8 3)':format=gbrp[c];
  [c][boat]overlay='$boatx':'$boaty':format=gbrp[d];
  [d][near]overlay=0:'$(bob 800 10 5)':format=gbrp[e];
  [e][front]overlay=0:'$(bob 960 16 4)':format=gbrp,
  scale=1280:720:flags=area,
  drawtext=fontfile=$font:text=Headwater:fontsize=44:fontcolor=white@0.92:x=56:y=48,
  drawtext=fontfile=$font:text='sample broadcast':fontsize=22:fontcolor=white@0.7:x=58:y=104,
  drawtext=fontfile=$mono:text='$clock':fontsize=54:fontcolor=white@0.92:x=w-230:y=46,
  format=yuv420p,trim=end_frame=$frames[video];
  aevalsrc='$left|$right':s=48000:d=$seconds,lowpass=5000,atrim=end_sample=$((seconds * 48000 - 1024))[audio]
" -map '[video]' -map '[audio]' \
  -c:v libx264 -preset veryslow -profile:v high -crf "${CRF:-25}" -maxrate 900k -bufsize 900k -aq-mode 3 \
  -g "$rate" -keyint_min "$rate" -sc_threshold 0 -bf 0 -flags +cgop \
  -c:a aac -b:a 80k -ar 48000 -ac 2 \
  -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
  -flvflags no_duration_filesize -f flv "${1:-broadcast.flv}"
